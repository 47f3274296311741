package org.pgporter.auth.hba;

import java.util.List;

/// The files that rules stand in or point to.
public interface RuleFiles {
    /// Why a file or a folder cannot be read.
    final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean missing;

        /// @param message what is the matter, after the name of the file: `does not exist`
        /// @param missing there is nothing of that name
        public Unreadable(String message, boolean missing) {
            super(message);
            this.missing = missing;
        }

        public boolean missing() {
            return missing;
        }

        /// What is the matter, after the name of the file.
        public String reason() {
            return String.valueOf(getMessage());
        }
    }

    /// The path that `name` means in the file `outer`: relative ones start from its folder.
    String locate(String name, String outer) throws Unreadable;

    /// The whole text of a file. Bytes that are no UTF-8 are kept as
    /// [org.pgporter.protocol.message.WireText] does.
    String read(String path) throws Unreadable;

    /// The files of a folder that `include_dir` means: names that end in `.conf` and do not begin with a
    /// dot, in the order of their bytes.
    List<String> configurationFilesIn(String folder) throws Unreadable;
}
