package org.pgporter.integration;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import io.netty.util.ReferenceCounted;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The arrows of the architecture page: which module and which package may know which other.
class ArchitectureTest {
    /// Modules from the bottom up, by the packages they own. Whoever stands lower knows nobody above.
    private static final List<List<String>> MODULES = List.of(
            List.of("org.pgporter.protocol.."),
            List.of("org.pgporter.auth.."),
            List.of("org.pgporter.config..", "org.pgporter.cluster.."),
            List.of("org.pgporter.node..", "org.pgporter.cli.."));

    /// Packages of the node from the bottom up.
    private static final List<List<String>> NODE = List.of(
            List.of("org.pgporter.node.error"),
            List.of("org.pgporter.node.sql"),
            List.of("org.pgporter.node.work"),
            List.of("org.pgporter.node.stats"),
            List.of("org.pgporter.node.token"),
            List.of("org.pgporter.node.tls"),
            List.of("org.pgporter.node.transport"),
            List.of("org.pgporter.node.backend"),
            List.of("org.pgporter.node.pool"),
            List.of("org.pgporter.node.hba"),
            List.of("org.pgporter.node.os"),
            List.of("org.pgporter.node.ldap"),
            List.of("org.pgporter.node.authquery"),
            List.of("org.pgporter.node.login"),
            List.of("org.pgporter.node.session"),
            List.of("org.pgporter.node.admin"),
            List.of("org.pgporter.node"),
            List.of("org.pgporter.cli"));

    /// Classes of `java.net` that are values. (A host name must not be made one of them: that is a lookup.)
    private static final Set<String> NETWORK_VALUES =
            Set.of("InetAddress", "Inet4Address", "Inet6Address", "URI", "URISyntaxException");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(
                    "org.pgporter.protocol",
                    "org.pgporter.auth",
                    "org.pgporter.config",
                    "org.pgporter.cluster",
                    "org.pgporter.node",
                    "org.pgporter.cli");

    @Test
    void shouldKnowOnlyModulesBelow() {
        pointDownwards(MODULES);
    }

    @Test
    void shouldKnowOnlyPackagesBelowWithinTheNode() {
        pointDownwards(NODE);
    }

    /// Sessions are addresses in the table of cancel keys and nothing else, so that it needs no package of
    /// the node.
    @Test
    void shouldKeepErrorsCancelKeysAndLoggingFreeOfTheRestOfTheNode() {
        for (String lonely : List.of("error", "cancel", "logging")) {
            noClasses()
                    .that()
                    .resideInAPackage("org.pgporter.node." + lonely)
                    .should()
                    .dependOnClassesThat(DescribedPredicate.describe(
                            "belong to another package of the node",
                            it -> it.getPackageName().startsWith("org.pgporter.node")
                                    && !it.getPackageName().equals("org.pgporter.node." + lonely)))
                    .check(CLASSES);
        }
    }

    @Test
    void shouldKeepMessagesAndCodecFreeOfActorsStreamsAndSockets() {
        noClasses()
                .that()
                .resideInAnyPackage("org.pgporter.protocol.message..", "org.pgporter.protocol.codec..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache.pekko..", "scala..", "java.net..", "java.nio.channels..", "org.slf4j..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.protocol..")
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "are of Netty, but not of its buffers",
                        it -> it.getPackageName().startsWith("io.netty")
                                && !it.getPackageName().equals("io.netty.buffer")
                                && !it.isEquivalentTo(ReferenceCounted.class)))
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.protocol.message..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.pgporter.protocol.codec..", "org.pgporter.protocol.stream..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.protocol.codec..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.pgporter.protocol.stream..")
                .check(CLASSES);
    }

    @Test
    void shouldKnowStreamsButNoActorsInTheProtocol() {
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.protocol..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.pekko.actor..")
                .check(CLASSES);
    }

    @Test
    void shouldKeepAuthenticationFreeOfActorsAndNetwork() {
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.auth..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "org.apache.pekko..",
                        "scala..",
                        "io.netty..",
                        "java.nio.channels..",
                        "org.pgporter.protocol.codec..",
                        "org.pgporter.protocol.stream..")
                .check(CLASSES);
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.auth..")
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "reach the network",
                        it -> it.getPackageName().equals("java.net") && !NETWORK_VALUES.contains(it.getSimpleName())))
                .check(CLASSES);
    }

    /// A clock of its own would make an exchange depend on when it is tested.
    @Test
    void shouldKeepAuthenticationFreeOfClocks() {
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.auth..")
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(Instant.class, "now")
                .check(CLASSES);
    }

    /// Sections of the configuration are data. Section `cluster` is turned into Pekko's settings elsewhere.
    @Test
    void shouldKeepTheConfigurationFreeOfWhatItConfigures() {
        noClasses()
                .that()
                .resideInAPackage("org.pgporter.config..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.pgporter.cluster..", "org.apache.pekko..", "io.netty..")
                .check(CLASSES);
    }

    @Test
    void shouldTouchChannelsInTransportAndTlsOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackages("org.pgporter.node.transport", "org.pgporter.node.tls")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty.channel..", "io.netty.bootstrap..", "io.netty.handler..")
                .check(CLASSES);
    }

    @Test
    void shouldHearSignalsAndReadTheCommandLineInTheCommandLineOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackage("org.pgporter.cli")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("picocli..")
                .check(CLASSES);
    }

    /// `auth` and what is under it count as one: the mechanisms answer in the words of `auth`, and
    /// `ExchangeSelection` there is the one place that knows all mechanisms.
    @Test
    void shouldHaveNoCyclesBetweenPackages() {
        slices().assignedFrom(new SliceAssignment() {
                    @Override
                    public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
                        String name = javaClass.getPackageName();
                        return SliceIdentifier.of(name.startsWith("org.pgporter.auth") ? "org.pgporter.auth" : name);
                    }

                    @Override
                    public String getDescription() {
                        return "packages";
                    }
                })
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    /// A rule about a package that was renamed would hold for ever.
    @Test
    void shouldSpeakOfPackagesThatExist() {
        assertThat(Stream.concat(MODULES.stream(), NODE.stream()).flatMap(List::stream))
                .allSatisfy(name -> {
                    String root = name.replace("..", "");
                    assertThat(CLASSES.stream().filter(it -> it.getPackageName().startsWith(root)))
                            .as("classes of " + root)
                            .isNotEmpty();
                });
    }

    private static void pointDownwards(List<List<String>> layers) {
        for (int i = 0; i < layers.size() - 1; i++) {
            String[] above = layers.subList(i + 1, layers.size()).stream()
                    .flatMap(List::stream)
                    .toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAnyPackage(layers.get(i).toArray(String[]::new))
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(above)
                    .check(CLASSES);
        }
    }
}
