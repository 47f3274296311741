package org.pgporter.support;

/// The two ends of the range of PostgreSQL majors that PgPorter supports. The exact versions stand in the root
/// `pom.xml`.
public enum PostgresMajor {
    OLDEST("postgres-oldest.jar"),
    NEWEST("postgres-newest.jar");

    private final String resource;

    PostgresMajor(String resource) {
        this.resource = resource;
    }

    /// The jar with the binaries, as a resource beside this class.
    String resource() {
        return resource;
    }
}
