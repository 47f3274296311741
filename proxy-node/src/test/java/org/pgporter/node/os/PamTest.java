package org.pgporter.node.os;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.Secret;

/// The real library, with services of the test's own.
class PamTest {
    private static final Path SERVICES = Path.of("/etc/pam.d");
    private static final Secret PASSWORD = Secret.of("pässword with \"quotes\" $and (more)");

    @TempDir
    private Path folder = Path.of("");

    private final List<Path> written = new ArrayList<>();

    @BeforeEach
    void needPam() {
        assumeTrue(Pam.available(), "libpam.so.0 is not there");
        assumeTrue(Files.isWritable(SERVICES), "/etc/pam.d cannot be written to: run the tests as root");
    }

    @AfterEach
    void removeServices() throws IOException {
        for (Path file : written) {
            Files.deleteIfExists(file);
        }
    }

    private String service(String... lines) throws IOException {
        String name = "pgporter-test-" + ProcessHandle.current().pid() + "-" + written.size();
        Path file = SERVICES.resolve(name);
        written.add(file);
        Files.writeString(file, String.join("\n", lines) + "\n");
        return name;
    }

    private Path script(String name, String... lines) throws IOException {
        Path file = Files.writeString(folder.resolve(name), "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Pam.Outcome ask(String service, Secret password) {
        return Pam.authenticate(service, "alice", password, Optional.of("192.0.2.7"));
    }

    @Test
    void shouldBeToldYesAndNo() throws IOException {
        String permitting = service("auth required pam_permit.so", "account required pam_permit.so");
        assertThat(ask(permitting, PASSWORD)).isEqualTo(new Pam.Outcome.Accepted());
        String denying = service("auth required pam_deny.so", "account required pam_permit.so");
        assertThat(ask(denying, PASSWORD)).isInstanceOf(Pam.Outcome.Denied.class);
        String lockedOut = service("auth required pam_permit.so", "account required pam_deny.so");
        assertThat(ask(lockedOut, PASSWORD))
                .isInstanceOfSatisfying(
                        Pam.Outcome.Denied.class, it -> assertThat(it.reason()).startsWith("pam_acct_mgmt: "));
    }

    @Test
    void shouldGiveModulesTheUserThePasswordAndTheAddress() throws IOException {
        Path script = script(
                "check",
                "password=$(tr -d '\\000')",
                "[ \"$password\" = '" + PASSWORD.reveal() + "' ] && [ \"$PAM_USER\" = alice ]"
                        + " && [ \"$PAM_RHOST\" = 192.0.2.7 ]");
        String service =
                service("auth required pam_exec.so quiet expose_authtok " + script, "account required pam_permit.so");

        assertThat(ask(service, PASSWORD)).isEqualTo(new Pam.Outcome.Accepted());
        assertThat(ask(service, Secret.of("another"))).isInstanceOf(Pam.Outcome.Denied.class);
        assertThat(Pam.authenticate(service, "bob", PASSWORD, Optional.of("192.0.2.7")))
                .isInstanceOf(Pam.Outcome.Denied.class);
        assertThat(Pam.authenticate(service, "alice", PASSWORD, Optional.empty()))
                .isInstanceOf(Pam.Outcome.Denied.class);
        assertThat(Pam.authenticate(service, "alice\0bob", PASSWORD, Optional.empty()))
                .isInstanceOf(Pam.Outcome.Denied.class);
    }

    /// A name cannot be asked for: whoever answers every question with the password gives it away.
    @Test
    void shouldAnswerNoOtherQuestion() throws IOException {
        String service = service("auth required pam_ftp.so", "account required pam_permit.so");
        assertThat(Pam.authenticate(service, "alice", PASSWORD, Optional.empty()))
                .isNotInstanceOf(Pam.Outcome.Accepted.class);
    }

    @Test
    void shouldNotHoldAMissingModuleAgainstTheUser() throws IOException {
        String service = service("auth required pam_no_such_module.so", "account required pam_permit.so");
        assertThat(ask(service, PASSWORD)).isInstanceOf(Pam.Outcome.Broken.class);
    }

    @Test
    void shouldNotSleepWhereAModuleWantsADelay() throws IOException {
        String service = service(
                "auth optional pam_faildelay.so delay=2000000",
                "auth required pam_deny.so",
                "account required pam_permit.so");
        long before = System.nanoTime();
        Pam.Outcome outcome = ask(service, PASSWORD);
        Duration took = Duration.ofNanos(System.nanoTime() - before);
        assertThat(outcome)
                .isInstanceOfSatisfying(
                        Pam.Outcome.Denied.class,
                        it -> assertThat(it.delay()).isBetween(Duration.ofSeconds(1), Duration.ofSeconds(3)));
        assertThat(took).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void shouldBearManyAtATime() throws IOException {
        Path script = script("check", "[ \"$(tr -d '\\000')\" = \"$PAM_USER\" ]");
        String service =
                service("auth required pam_exec.so quiet expose_authtok " + script, "account required pam_permit.so");
        try (PamService pam = new PamService(Duration.ofSeconds(30), 4, 100)) {
            List<CompletableFuture<Pam.Outcome>> good = new ArrayList<>();
            List<CompletableFuture<Pam.Outcome>> bad = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                good.add(pam.authenticate(service, "user" + i, Secret.of("user" + i), Optional::empty)
                        .toCompletableFuture());
                bad.add(pam.authenticate(service, "user" + i, Secret.of("user" + (i + 1)), Optional::empty)
                        .toCompletableFuture());
            }
            assertThat(good).allSatisfy(it -> assertThat(it.join()).isEqualTo(new Pam.Outcome.Accepted()));
            assertThat(bad).allSatisfy(it -> assertThat(it.join()).isInstanceOf(Pam.Outcome.Denied.class));
        }
    }

    // ---- threads, without the library

    @Test
    void shouldLetAModuleThatHangsDelayNobodyElse() throws InterruptedException {
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch hanging = new CountDownLatch(1);
        try (PamService pam = new PamService(
                (service, _, _, _) -> {
                    if (service.equals("hangs")) {
                        reached.countDown();
                        awaitForEver(hanging);
                    }
                    return new Pam.Outcome.Accepted();
                },
                Duration.ofMillis(300),
                1,
                1)) {
            var stuck = pam.authenticate("hangs", "alice", PASSWORD, Optional::empty);
            reached.await();
            var queued = pam.authenticate("hangs", "bob", PASSWORD, Optional::empty);
            var third = pam.authenticate("hangs", "carol", PASSWORD, Optional::empty);

            assertThat(broken(third)).contains("too many logins wait for PAM");
            assertThat(pam.authenticate("works", "dave", PASSWORD, Optional::empty)
                            .toCompletableFuture()
                            .join())
                    .isEqualTo(new Pam.Outcome.Accepted());
            assertThat(broken(stuck)).contains("did not answer within pam_timeout (300 ms)");
            assertThat(broken(queued)).contains("did not answer within pam_timeout (300 ms)");
            assertThat(pam.refused()).isEqualTo(1);
            assertThat(pam.late()).isEqualTo(2);
            hanging.countDown();
            await().atMost(Duration.ofSeconds(20)).until(() -> pam.waiting() == 0);
            // The thread has come back, and nobody asks for bob any more.
            assertThat(pam.authenticate("hangs", "erin", PASSWORD, Optional::empty)
                            .toCompletableFuture()
                            .join())
                    .isEqualTo(new Pam.Outcome.Accepted());
        }
    }

    private static void awaitForEver(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String broken(java.util.concurrent.CompletionStage<Pam.Outcome> stage) {
        Pam.Outcome outcome = stage.toCompletableFuture().join();
        assertThat(outcome).isInstanceOf(Pam.Outcome.Broken.class);
        return ((Pam.Outcome.Broken) outcome).cause();
    }

    @Test
    void shouldKnowSystemUsers() {
        assertThat(SystemUsers.name(0)).contains("root");
        assertThat(SystemUsers.name(1_999_999_999)).isEmpty();
    }
}
