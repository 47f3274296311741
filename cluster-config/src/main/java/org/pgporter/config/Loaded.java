package org.pgporter.config;

import java.util.List;

/// What came of loading a configuration file.
public sealed interface Loaded {
    /// @param config ready to use
    /// @param warnings what is probably not meant, in the order of the file
    record Valid(ProxyConfig config, List<ConfigProblem> warnings) implements Loaded {
        public Valid {
            warnings = List.copyOf(warnings);
        }
    }

    /// @param problems every mistake, in the order of the file; at least one
    record Invalid(List<ConfigProblem> problems) implements Loaded {
        public Invalid {
            problems = List.copyOf(problems);
        }
    }
}
