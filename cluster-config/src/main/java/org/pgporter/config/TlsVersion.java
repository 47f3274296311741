package org.pgporter.config;

/// A version of TLS. In the file: `TLSv1.2` or `TLSv1.3`, as PostgreSQL writes it.
public enum TlsVersion {
    TLS_1_2("TLSv1.2"),
    TLS_1_3("TLSv1.3");

    private final String word;

    TlsVersion(String word) {
        this.word = word;
    }

    /// The word in the file, which is also the name that TLS libraries know it by.
    @Override
    public String toString() {
        return word;
    }
}
