package org.pgporter.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import jakarta.persistence.LockModeType;
import jakarta.persistence.OptimisticLockException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.UUID;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.AvailableSettings;
import org.hibernate.cfg.Configuration;
import org.hibernate.exception.ConstraintViolationException;
import org.junit.jupiter.api.Test;
import org.pgporter.drivers.Workers.Worker;

/// Hibernate over HikariCP and pgjdbc.
class HibernateIT {
    private static SessionFactory sessionFactory(HikariDataSource dataSource) {
        Configuration configuration = new Configuration()
                .addAnnotatedClass(Document.class)
                .addAnnotatedClass(Document.Page.class)
                .setProperty(AvailableSettings.STATEMENT_BATCH_SIZE, "20")
                .setProperty(AvailableSettings.HBM2DDL_AUTO, "create");
        configuration.getProperties().put(AvailableSettings.JAKARTA_NON_JTA_DATASOURCE, dataSource);
        return configuration.buildSessionFactory();
    }

    @Test
    void shouldServeAnApplication() {
        try (Served served = Served.start("driver_hibernate");
                HikariDataSource dataSource = HikariIT.dataSource(served);
                SessionFactory sessions = sessionFactory(dataSource)) {
            new Workers().work(Served.CONNECTIONS, worker -> {
                Author author = new Author(worker, sessions);
                return new Workers.Thing[] {
                    author::storesAndLoads,
                    author::storesLargeObjects,
                    author::rollsBack,
                    author::goesOnAfterAViolation,
                    author::losesARace,
                    author::locks,
                    author::scrolls,
                    author::changesMany,
                };
            });
        }
    }

    /// Opens a session for each thing it does.
    private record Author(Worker worker, SessionFactory sessions) {
        private Document document() {
            Document document = new Document(worker.number(), worker.token());
            document.created = Instant.parse("2026-01-02T03:04:05.678901Z");
            document.reference = new UUID(1, worker.number());
            document.labels = new String[] {"a", "with \"quotes\"", document.token};
            return document;
        }

        private Document stored() {
            Document document = document();
            sessions.inTransaction(session -> session.persist(document));
            return document;
        }

        private void isStored(Document document, int times) {
            long count = sessions.fromTransaction(session -> session.createSelectionQuery(
                            "select count(*) from Document where token = :token", Long.class)
                    .setParameter("token", document.token)
                    .getSingleResult());
            assertThat(count).isEqualTo(times);
        }

        void storesAndLoads() {
            Document written = document();
            for (int i = 0; i < 50; i++) {
                written.addPage(written.token + " line " + i);
            }
            sessions.inTransaction(session -> session.persist(written));
            for (int round = 0; round < 8; round++) {
                sessions.inTransaction(session -> {
                    Document read = session.find(Document.class, written.id);
                    Object[] asked = session.createNativeQuery(
                                    "select cast(:token as text), pg_backend_pid()", Object[].class)
                            .setParameter("token", written.token)
                            .getSingleResult();
                    worker.answered(written.token, (String) asked[0], (Integer) asked[1]);
                    worker.answered(written.token, read.token);
                    assertThat(read.labels).isEqualTo(written.labels);
                    assertThat(read.created).isEqualTo(written.created);
                    assertThat(read.reference).isEqualTo(written.reference);
                    assertThat(read.text).isNull();
                    assertThat(read.pages).hasSize(50).allMatch(page -> page.line.startsWith(written.token + " "));
                });
            }
            sessions.inTransaction(session -> session.remove(session.find(Document.class, written.id)));
            isStored(written, 0);
        }

        void storesLargeObjects() {
            Document written = document();
            written.text = written.token + "é".repeat(20_000);
            written.image = new byte[70_000];
            Arrays.fill(written.image, (byte) worker.number());
            sessions.inTransaction(session -> session.persist(written));
            sessions.inTransaction(session -> {
                Document read = session.find(Document.class, written.id);
                assertThat(Objects.equals(written.text, read.text)).isTrue();
                assertThat(Arrays.equals(read.image, written.image)).isTrue();
                read.text = "short";
            });
            sessions.inTransaction(session ->
                    assertThat(session.find(Document.class, written.id).text).isEqualTo("short"));
        }

        void rollsBack() {
            Document document = document();
            assertThatThrownBy(() -> sessions.inTransaction(session -> {
                        session.persist(document);
                        session.flush();
                        throw new IllegalStateException("the application changes its mind");
                    }))
                    .hasMessage("the application changes its mind");
            isStored(document, 0);
        }

        void goesOnAfterAViolation() {
            Document document = stored();
            assertThatExceptionOfType(ConstraintViolationException.class)
                    .isThrownBy(() -> sessions.inTransaction(
                            session -> session.persist(new Document(worker.number(), document.token))));
            isStored(document, 1);
        }

        /// One transaction after the other: two at a time for each worker would wait for each other in any pool.
        void losesARace() {
            Document slow = stored();
            sessions.inTransaction(session -> session.find(Document.class, slow.id).text = "fast");
            slow.text = "slow";
            assertThatExceptionOfType(OptimisticLockException.class)
                    .isThrownBy(() -> sessions.inTransaction(session -> session.merge(slow)));
            sessions.inTransaction(session ->
                    assertThat(session.find(Document.class, slow.id).text).isEqualTo("fast"));
        }

        void locks() {
            Document document = stored();
            sessions.inTransaction(session -> {
                Document locked = session.find(Document.class, document.id, LockModeType.PESSIMISTIC_WRITE);
                locked.labels = new String[] {"locked"};
            });
            sessions.inTransaction(session ->
                    assertThat(session.find(Document.class, document.id).labels).containsExactly("locked"));
        }

        void scrolls() {
            sessions.inTransaction(session -> {
                String token = worker.token();
                try (var rows = session.createNativeQuery(
                                "select n, cast(:token as text) from generate_series(1, 200) n", Object[].class)
                        .setParameter("token", token)
                        .setFetchSize(13)
                        .scroll(org.hibernate.ScrollMode.FORWARD_ONLY)) {
                    int last = 0;
                    while (rows.next()) {
                        assertThat(rows.get()[0]).isEqualTo(++last);
                        worker.answered(token, (String) rows.get()[1]);
                    }
                    assertThat(last).isEqualTo(200);
                }
            });
        }

        void changesMany() {
            Document document = stored();
            sessions.inTransaction(session -> {
                for (int i = 0; i < 100; i++) {
                    session.persist(new Document(worker.number(), document.token + " copy " + i));
                }
            });
            int changed = sessions.fromTransaction(session -> session.createMutationQuery(
                            "update versioned Document set labels = :labels where token like :tokens")
                    .setParameter("labels", new String[] {"changed"})
                    .setParameter("tokens", document.token + " copy %")
                    .executeUpdate());
            assertThat(changed).isEqualTo(100);
        }
    }
}
