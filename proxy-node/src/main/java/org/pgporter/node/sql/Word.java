package org.pgporter.node.sql;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// The words that mean something to [StatementReader]. Everything else in a statement is [#OTHER].
enum Word {
    OTHER(""),
    ALL,
    AUTHORIZATION,
    CALL,
    CHARACTERISTICS,
    CLOSE,
    CONSTRAINTS,
    CREATE,
    CURRVAL,
    DEALLOCATE,
    DECLARE,
    DEFAULT,
    DISCARD,
    DO,
    DROP,
    EXECUTE,
    FALSE,
    GLOBAL,
    HOLD,
    INTO,
    LASTVAL,
    LISTEN,
    LOAD,
    LOCAL,
    NAMES,
    OPTION,
    OR,
    PG_ADVISORY_LOCK,
    PG_ADVISORY_LOCK_SHARED,
    PG_ADVISORY_UNLOCK,
    PG_ADVISORY_UNLOCK_ALL,
    PG_ADVISORY_UNLOCK_SHARED,
    PG_SETTINGS,
    PG_TEMP,
    PG_TRY_ADVISORY_LOCK,
    PG_TRY_ADVISORY_LOCK_SHARED,
    PREPARE,
    REPLACE,
    RESET,
    ROLE,
    SCHEMA,
    SEED,
    SEQUENCES,
    SESSION,
    SET,
    SET_CONFIG,
    TEMP,
    TEMPORARY,
    TIME,
    TRANSACTION,
    TRUE,
    UNLISTEN,
    UPDATE,
    WITH,
    XML,
    ZONE;

    /// A power of two, several times the number of words.
    private static final int SLOTS = 256;

    private static final Word[] TABLE = new Word[SLOTS];

    static {
        for (Word word : values()) {
            int slot = word.hash & (SLOTS - 1);
            while (TABLE[slot] != null) {
                slot = (slot + 1) & (SLOTS - 1);
            }
            TABLE[slot] = word;
        }
    }

    private final byte[] text;
    private final int hash;

    Word() {
        text = name().toLowerCase(Locale.ROOT).getBytes(StandardCharsets.US_ASCII);
        hash = hash(text);
    }

    Word(String spelling) {
        text = spelling.getBytes(StandardCharsets.US_ASCII);
        hash = hash(text);
    }

    /// One step of the hash by which [#find] looks a word up; begins with 0 and takes lower-case bytes.
    static int hash(int before, int lowerCase) {
        return before * 31 + lowerCase;
    }

    private static int hash(byte[] text) {
        int hash = 0;
        for (byte character : text) {
            hash = hash(hash, character);
        }
        return hash;
    }

    /// The word that stands from `from` to `to`, in whatever case.
    static Word find(byte[] source, int from, int to, int hash) {
        for (int slot = hash & (SLOTS - 1); TABLE[slot] != null; slot = (slot + 1) & (SLOTS - 1)) {
            Word word = TABLE[slot];
            if (word.hash == hash && word.text.length == to - from && word.isAt(source, from)) {
                return word;
            }
        }
        return OTHER;
    }

    private boolean isAt(byte[] source, int from) {
        for (int i = 0; i < text.length; i++) {
            if (SqlLexer.lower(source[from + i]) != text[i]) {
                return false;
            }
        }
        return true;
    }
}
