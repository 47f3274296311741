package org.pgporter.protocol.message;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads the `options` of a startup packet as PostgreSQL reads a server command line: blanks separate arguments, a
/// backslash takes the next character literally. Understood are `-c name=value`, `-cname=value` and `--name=value`,
/// with dashes in the name turned into underscores. Of a repeated name the last value counts. Everything else is
/// refused with SQLSTATE 42601.
public final class StartupOptions {

    private StartupOptions() {}

    /// Parameters in the order in which they were named.
    public static Map<String, String> parse(String options) {
        Map<String, String> parameters = new LinkedHashMap<>();
        var arguments = split(options).iterator();
        while (arguments.hasNext()) {
            String argument = arguments.next();
            String setting;
            if (argument.equals("-c")) {
                if (!arguments.hasNext()) {
                    throw refused(argument);
                }
                setting = arguments.next();
            } else if (argument.startsWith("-c") || argument.startsWith("--")) {
                setting = argument.substring(2);
            } else {
                throw refused(argument);
            }
            int equals = setting.indexOf('=');
            if (equals <= 0) {
                throw refused(argument.equals("-c") ? "-c " + setting : argument);
            }
            parameters.put(setting.substring(0, equals).replace('-', '_'), setting.substring(equals + 1));
        }
        return Collections.unmodifiableMap(parameters);
    }

    private static List<String> split(String options) {
        List<String> arguments = new ArrayList<>();
        int i = 0;
        while (true) {
            while (i < options.length() && isBlank(options.charAt(i))) {
                i++;
            }
            if (i == options.length()) {
                return arguments;
            }
            var argument = new StringBuilder();
            while (i < options.length() && !isBlank(options.charAt(i))) {
                if (options.charAt(i) == '\\' && i + 1 < options.length()) {
                    i++;
                    argument.append(options.charAt(i));
                } else if (options.charAt(i) != '\\') {
                    argument.append(options.charAt(i));
                }
                i++;
            }
            arguments.add(argument.toString());
        }
    }

    /// The blanks of C's isspace.
    private static boolean isBlank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }

    private static ProtocolViolation refused(String argument) {
        return new ProtocolViolation(
                SqlState.SYNTAX_ERROR, "invalid command-line argument for server process: " + argument);
    }
}
