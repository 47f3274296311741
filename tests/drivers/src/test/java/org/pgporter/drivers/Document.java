package org.pgporter.drivers;

import jakarta.persistence.CascadeType;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.FetchType;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.Id;
import jakarta.persistence.Lob;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// What [HibernateIT] stores: an entity with what an application's entities have.
@Entity
class Document {
    @Id
    @GeneratedValue
    @Nullable
    Long id;

    @Version
    int version;

    @Column(unique = true)
    String token = "";

    int worker;

    /// A large object: PostgreSQL keeps it apart, and the column has its oid.
    @Lob
    @Nullable
    String text;

    @Lob
    byte[] image = {};

    String[] labels = {};

    Instant created = Instant.EPOCH;

    UUID reference = new UUID(0, 0);

    @OneToMany(mappedBy = "document", cascade = CascadeType.ALL, orphanRemoval = true)
    List<Page> pages = new ArrayList<>();

    Document() {}

    Document(int worker, String token) {
        this.worker = worker;
        this.token = token;
    }

    void addPage(String line) {
        pages.add(new Page(this, line));
    }

    /// One of many of its document.
    @Entity
    static class Page {
        @Id
        @GeneratedValue
        @Nullable
        Long id;

        String line = "";

        @ManyToOne(fetch = FetchType.LAZY)
        @Nullable
        Document document;

        Page() {}

        Page(Document document, String line) {
            this.document = document;
            this.line = line;
        }
    }
}
