package org.pgporter.node.sql;

import static org.pgporter.node.sql.StateKind.ADVISORY_LOCK;
import static org.pgporter.node.sql.StateKind.HELD_CURSOR;
import static org.pgporter.node.sql.StateKind.LIBRARY;
import static org.pgporter.node.sql.StateKind.LISTEN;
import static org.pgporter.node.sql.StateKind.PARAMETER;
import static org.pgporter.node.sql.StateKind.PREPARED_STATEMENT;
import static org.pgporter.node.sql.StateKind.TEMPORARY_OBJECT;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pgporter.node.sql.SqlLexer.Token;
import org.pgporter.node.sql.StatementEffects.Deallocation;

/// Reads [StatementEffects] off a text: the first words of each statement, and some words wherever they stand.
/// It is not a parser. Where it cannot know, it says more than will happen, never less.
final class StatementReader {
    private static final List<String> IDENTITY = List.of("session_authorization", "role");
    private static final List<String> CHARACTERISTICS =
            List.of("default_transaction_isolation", "default_transaction_read_only", "default_transaction_deferrable");

    /// What may be the name of an application's parameter, which PostgreSQL cannot list. In code it may also be the
    /// name of a column or function; to ask for that does no harm.
    private static final Pattern OWN_PARAMETER = Pattern.compile("[A-Za-z_]\\w*(\\.[A-Za-z_]\\w*)+");

    /// How many of them are taken from one text.
    private static final int OWN_PARAMETERS = 50;

    private final SqlLexer lexer;
    private final int base;
    private Token token = Token.END;
    private Word word = Word.OTHER;

    private int begins;
    private int ends;
    private boolean everyParameter;
    private boolean unnamedParameter;
    private List<String> parameters = List.of();
    private List<String> localParameters = List.of();
    private List<Integer> boundNames = List.of();
    private List<Integer> boundLocalNames = List.of();
    private boolean preparesBySql;
    private boolean executesBySql;
    private boolean asksSequences;
    private boolean discardsAll;
    private boolean deallocatesAll;
    private List<Deallocation> deallocations = List.of();
    private boolean anything;

    StatementReader(byte[] source, int from, int to) {
        this.lexer = new SqlLexer(source, from, to);
        this.base = from;
    }

    StatementEffects read() {
        advance();
        while (token != Token.END) {
            if (token == Token.SEMICOLON) {
                advance();
            } else {
                statement();
            }
        }
        if (!anything && !lexer.ambiguous()) {
            return StatementEffects.NONE;
        }
        return new StatementEffects(
                begins,
                ends & ~begins,
                everyParameter,
                unnamedParameter,
                List.copyOf(parameters),
                List.copyOf(localParameters),
                List.copyOf(boundNames),
                List.copyOf(boundLocalNames),
                preparesBySql,
                executesBySql,
                asksSequences,
                discardsAll,
                deallocatesAll,
                List.copyOf(deallocations),
                lexer.ambiguous());
    }

    private void advance() {
        token = lexer.next();
        word = lexer.word();
    }

    private boolean at(Word wanted) {
        return token == Token.WORD && word == wanted;
    }

    private boolean skips(Word wanted) {
        if (!at(wanted)) {
            return false;
        }
        advance();
        return true;
    }

    private void begins(StateKind kind) {
        begins |= kind.mask();
        anything = true;
    }

    private void ends(StateKind kind) {
        ends |= kind.mask();
        anything = true;
    }

    private void everything() {
        begins |= StateKind.EVERY_KIND;
        everyParameter = true;
        unnamedParameter = true; // its name may be made up in there
        anything = true;
    }

    /// DO: the code can be read, but what it calls cannot.
    private void code() {
        everything();
        while (token != Token.END && token != Token.SEMICOLON) {
            if (token == Token.STRING) {
                Matcher names = OWN_PARAMETER.matcher(lexer.literal());
                while (names.find() && parameters.size() < OWN_PARAMETERS) {
                    parameter(names.group().toLowerCase(Locale.ROOT), false);
                }
            }
            advance();
        }
    }

    private void statement() {
        if (token != Token.WORD) {
            rest(false);
            return;
        }
        Word head = word;
        if (head == Word.OTHER) {
            rest(false);
            return;
        }
        advance();
        switch (head) {
            case SET -> set();
            case RESET -> reset();
            case LISTEN -> begins(LISTEN);
            case UNLISTEN -> ends(LISTEN);
            case PREPARE -> {
                if (!at(Word.TRANSACTION)) {
                    begins(PREPARED_STATEMENT);
                    preparesBySql = true;
                }
            }
            case EXECUTE -> {
                executesBySql = true;
                anything = true;
            }
            case DEALLOCATE -> deallocate();
            case DISCARD -> discard();
            case CLOSE -> ends(HELD_CURSOR);
            case LOAD -> begins(LIBRARY);
            case DO -> code();
            case CALL -> everything();
            case CREATE -> create();
            case DROP -> ends(TEMPORARY_OBJECT);
            default -> {}
        }
        rest(head == Word.UPDATE);
    }

    // ---- parameters

    private void set() {
        boolean local = skips(Word.LOCAL);
        if (skips(Word.SESSION)) {
            if (at(Word.AUTHORIZATION)) {
                IDENTITY.forEach(name -> parameter(name, local));
                return;
            }
            if (at(Word.CHARACTERISTICS)) {
                CHARACTERISTICS.forEach(name -> parameter(name, local));
                return;
            }
        }
        if (at(Word.TRANSACTION) || at(Word.CONSTRAINTS)) {
            return; // until the end of the transaction
        }
        if (token != Token.WORD && token != Token.QUOTED_NAME) {
            return; // not a statement
        }
        String name = parameterName();
        if (name.equals("session_authorization")) {
            IDENTITY.forEach(both -> parameter(both, local));
        } else {
            parameter(name, local);
        }
        if (!local && (at(Word.DEFAULT) || at(Word.LOCAL))) {
            everyParameter = true; // what it is now says nothing of what the session wants
        }
    }

    private void reset() {
        if (token == Token.WORD || token == Token.QUOTED_NAME) {
            begins(PARAMETER);
            everyParameter = true;
        }
    }

    /// Reads the name of a parameter, for some of which SQL has words of its own, and what stands between it and
    /// the value.
    private String parameterName() {
        if (token == Token.WORD) {
            switch (word) {
                case TIME -> {
                    advance();
                    skips(Word.ZONE);
                    return "timezone";
                }
                case NAMES -> {
                    advance();
                    return "client_encoding";
                }
                case SCHEMA -> {
                    advance();
                    return "search_path";
                }
                case XML -> {
                    advance();
                    skips(Word.OPTION);
                    return "xmloption";
                }
                default -> {}
            }
        }
        StringBuilder name = new StringBuilder(lexer.name(token));
        advance();
        while (token == Token.DOT) {
            advance();
            if (token == Token.WORD || token == Token.QUOTED_NAME) {
                name.append('.').append(lexer.name(token));
                advance();
            }
        }
        advance(); // "TO" or "="
        return name.toString();
    }

    private void parameter(String name, boolean local) {
        anything = true;
        if (local) {
            localParameters = plus(localParameters, name);
        } else {
            begins |= PARAMETER.mask();
            parameters = plus(parameters, name);
        }
    }

    /// `set_config(name, value, is_local)`, with the opening parenthesis as the current token.
    private void setConfig() {
        advance();
        Argument name = argument();
        boolean local = false;
        if (token == Token.COMMA) {
            advance();
            argument();
        }
        if (token == Token.COMMA) {
            advance();
            Argument third = argument();
            local = third.isTrue();
        }
        while (token == Token.COMMA) {
            advance();
            argument();
        }
        if (token == Token.RIGHT_PARENTHESIS) {
            advance();
        }
        if (name.number() > 0) {
            anything = true;
            if (local) {
                boundLocalNames = plus(boundLocalNames, name.number());
            } else {
                begins |= PARAMETER.mask();
                boundNames = plus(boundNames, name.number());
            }
        } else if (!name.literal().isEmpty()) {
            parameter(name.literal().toLowerCase(Locale.ROOT), local);
        } else if (local) {
            parameter("", true);
        } else {
            begins(PARAMETER);
            everyParameter = true;
            unnamedParameter = true;
        }
    }

    /// One argument of a call as far as it is understood: a literal, a bound value, or something else.
    ///
    /// @param number of the bound value, or 0
    private record Argument(String literal, int number, boolean isTrue) {
        static final Argument SOMETHING = new Argument("", 0, false);
    }

    private Argument argument() {
        Argument found = firstOfArgument();
        int depth = 0;
        boolean first = true;
        boolean inCast = false;
        while (token != Token.END && token != Token.SEMICOLON) {
            if (depth == 0 && (token == Token.COMMA || token == Token.RIGHT_PARENTHESIS)) {
                break;
            }
            if (!first && !inCast && !lexer.isAt(':')) {
                found = Argument.SOMETHING; // more than a value and its type
            }
            inCast |= !first && lexer.isAt(':');
            inCast &= token != Token.SYMBOL || lexer.isAt(':');
            first = false;
            if (token == Token.LEFT_PARENTHESIS) {
                depth++;
            } else if (token == Token.RIGHT_PARENTHESIS) {
                depth--;
            }
            anywhere(false);
        }
        return found;
    }

    private Argument firstOfArgument() {
        return switch (token) {
            case STRING -> new Argument(lexer.literal(), 0, isTrueText(lexer.literal()));
            case PARAMETER -> new Argument("", lexer.parameterNumber(), false);
            case WORD -> new Argument("", 0, word == Word.TRUE);
            default -> Argument.SOMETHING;
        };
    }

    private static boolean isTrueText(String literal) {
        return literal.equalsIgnoreCase("true") || literal.equalsIgnoreCase("t");
    }

    // ---- statements that end what is kept

    private void deallocate() {
        skips(Word.PREPARE);
        if (at(Word.ALL)) {
            deallocatesAll = true;
            ends(PREPARED_STATEMENT);
        } else if (token == Token.WORD || token == Token.QUOTED_NAME) {
            deallocations =
                    plus(deallocations, new Deallocation(lexer.name(token), lexer.start() - base, lexer.end() - base));
            ends(PREPARED_STATEMENT);
        }
    }

    private void discard() {
        if (at(Word.ALL)) {
            discardsAll = true;
            ends |= StateKind.EVERY_KIND;
            anything = true;
        } else if (at(Word.TEMP) || at(Word.TEMPORARY)) {
            ends(TEMPORARY_OBJECT);
        }
    }

    // ---- what matters wherever it stands

    private void create() {
        if (skips(Word.OR)) {
            skips(Word.REPLACE);
        }
        temporary();
    }

    private void temporary() {
        if (at(Word.LOCAL) || at(Word.GLOBAL)) {
            advance();
        }
        if (at(Word.TEMP) || at(Word.TEMPORARY)) {
            begins(TEMPORARY_OBJECT);
        }
    }

    /// Reads to the end of the statement.
    private void rest(boolean isUpdate) {
        while (token != Token.END && token != Token.SEMICOLON) {
            anywhere(isUpdate);
        }
    }

    private void anywhere(boolean isUpdate) {
        Word found = word;
        advance();
        switch (found) {
            case SET_CONFIG -> {
                if (token == Token.LEFT_PARENTHESIS) {
                    setConfig();
                }
            }
            case PG_ADVISORY_LOCK, PG_ADVISORY_LOCK_SHARED, PG_TRY_ADVISORY_LOCK, PG_TRY_ADVISORY_LOCK_SHARED ->
                begins(ADVISORY_LOCK);
            case PG_ADVISORY_UNLOCK, PG_ADVISORY_UNLOCK_ALL, PG_ADVISORY_UNLOCK_SHARED -> ends(ADVISORY_LOCK);
            case CURRVAL, LASTVAL -> {
                asksSequences = true;
                anything = true;
            }
            case PG_TEMP -> begins(TEMPORARY_OBJECT);
            case CREATE -> create();
            case EXECUTE -> {
                executesBySql = true;
                anything = true;
            }
            case INTO -> temporary();
            case WITH -> {
                if (at(Word.HOLD)) {
                    begins(HELD_CURSOR);
                }
            }
            case PG_SETTINGS -> {
                if (isUpdate) {
                    begins(PARAMETER);
                    everyParameter = true;
                }
            }
            default -> {}
        }
    }

    private static <T> List<T> plus(List<T> list, T more) {
        List<T> longer = list.isEmpty() ? new ArrayList<>() : list;
        longer.add(more);
        return longer;
    }
}
