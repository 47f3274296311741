package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.pgporter.node.backend.AcceptedValues;
import org.pgporter.node.backend.ServerParameters;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.protocol.message.ParameterStatus;

class SessionParametersTest {
    private final AcceptedValues accepted = new AcceptedValues();
    private final ServerParameters server = ServerParameters.none()
            .with("server_version", "17.1")
            .with("in_hot_standby", "off")
            .with("application_name", "")
            .with("client_encoding", "UTF8")
            .with("DateStyle", "ISO, MDY");

    @Test
    void shouldGreetWithTheServersValuesAndTheClientsOwnInTheServersSpelling() { // checklist 100
        // Given
        accepted.accepted("client_encoding", "latin1", "LATIN1");
        var parameters = parameters("client_encoding", "latin1", "application_name", "App");

        // When
        var greeting = parameters.greeting(server, accepted);

        // Then
        assertThat(greeting)
                .containsExactlyInAnyOrder(
                        new ParameterStatus("server_version", "17.1"),
                        new ParameterStatus("in_hot_standby", "off"),
                        new ParameterStatus("application_name", "App"),
                        new ParameterStatus("client_encoding", "LATIN1"),
                        new ParameterStatus("DateStyle", "ISO, MDY"));
        assertThat(parameters.wanted().get("client_encoding")).contains("LATIN1");
    }

    @Test
    void shouldHaveUnknownValuesConfirmedOnly() {
        accepted.accepted("DateStyle", "german", "German, DMY");

        assertThat(parameters().mustBeConfirmed(server, accepted)).isFalse();
        assertThat(parameters("application_name", "never seen").mustBeConfirmed(server, accepted))
                .isFalse();
        assertThat(parameters("datestyle", "german").mustBeConfirmed(server, accepted))
                .isFalse();
        assertThat(parameters("client_encoding", "UTF8").mustBeConfirmed(server, accepted))
                .isFalse();
        assertThat(parameters("client_encoding", "utf8").mustBeConfirmed(server, accepted))
                .isTrue();
        assertThat(parameters("search_path", "x").mustBeConfirmed(server, accepted))
                .isTrue();
    }

    @Test
    void shouldWantWhatTheClientHasSetAndNotTellItAgain() {
        // Given
        var parameters = parameters();
        parameters.greeting(server, accepted);

        // When
        parameters.reported(List.of(new ParameterStatus("DateStyle", "German, DMY")));

        // Then
        assertThat(parameters.wanted().get("datestyle")).contains("German, DMY");
        assertThat(aligned(parameters, new ParameterStatus("DateStyle", "German, DMY")))
                .isEmpty();
    }

    @Test
    void shouldNotWantFactsThatAServerHasReported() {
        // Given
        var parameters = parameters();
        parameters.greeting(server, accepted);

        // When
        parameters.reported(List.of(new ParameterStatus("in_hot_standby", "on")));

        // Then
        assertThat(parameters.wanted().isEmpty()).isTrue();
    }

    @Test
    void shouldTellWhatAnAlignmentChanged() {
        // Given
        var parameters = parameters("TimeZone", "utc");
        parameters.greeting(server.with("TimeZone", "Europe/Berlin"), accepted);

        // When, Then
        assertThat(aligned(parameters, new ParameterStatus("TimeZone", "UTC")))
                .containsExactly(new ParameterStatus("TimeZone", "UTC"));
        assertThat(parameters.wanted().get("TimeZone")).contains("UTC");
        assertThat(aligned(parameters, new ParameterStatus("TimeZone", "UTC"))).isEmpty();
    }

    @Test
    void shouldTellFactsOfTheServerThatItIsOnNow() { // checklist 19
        // Given
        var parameters = parameters();
        parameters.greeting(server, accepted);
        ByteBuf out = Unpooled.buffer();

        // When
        parameters.attachedTo(server, out);
        assertThat(out.isReadable()).isFalse();
        parameters.attachedTo(
                server.with("server_version", "17.2")
                        .with("in_hot_standby", "on")
                        .with("DateStyle", "German, DMY"),
                out);

        // Then
        assertThat(messages(out))
                .containsExactlyInAnyOrder(
                        new ParameterStatus("server_version", "17.2"), new ParameterStatus("in_hot_standby", "on"));
    }

    @Test
    void shouldHaveNothingToTellOnAnotherBackendWithTheSameFacts() {
        var parameters = parameters();
        parameters.greeting(server, accepted);

        assertThat(parameters.hasTold(server.with("DateStyle", "German, DMY"))).isTrue();
        assertThat(parameters.hasTold(server.with("server_version", "17.2"))).isFalse();
    }

    @Test
    void shouldTellAFactAgainAfterABackendItselfOrAnAlignmentHasToldAnother() {
        // Given
        var parameters = parameters();
        parameters.greeting(server, accepted);
        ByteBuf out = Unpooled.buffer();

        // When
        parameters.reported(List.of(new ParameterStatus("in_hot_standby", "on")));
        assertThat(parameters.hasTold(server)).isFalse();
        parameters.attachedTo(server, out);
        aligned(parameters, new ParameterStatus("server_version", "16"));
        assertThat(parameters.hasTold(server)).isFalse();
        parameters.attachedTo(server, out);

        // Then
        assertThat(messages(out))
                .containsExactly(
                        new ParameterStatus("in_hot_standby", "off"), new ParameterStatus("server_version", "17.1"));
    }

    @Test
    void shouldReturnToTheStartupPacketWithADiscard() {
        // Given
        var parameters = parameters("DateStyle", "SQL");
        parameters.greeting(server, accepted);
        parameters.reported(
                List.of(new ParameterStatus("DateStyle", "German, DMY"), new ParameterStatus("TimeZone", "UTC")));

        // When
        parameters.discarded();

        // Then
        assertThat(parameters.wanted()).isEqualTo(WantedParameters.of(Map.of("DateStyle", "SQL")));
    }

    private static List<ParameterStatus> aligned(SessionParameters parameters, ParameterStatus change) {
        ByteBuf out = Unpooled.buffer();
        parameters.aligned(List.of(change), out);
        return messages(out);
    }

    private static List<ParameterStatus> messages(ByteBuf out) {
        List<ParameterStatus> messages = new ArrayList<>();
        while (out.isReadable()) {
            assertThat((char) out.readByte()).isEqualTo('S');
            messages.add(ParameterStatus.decode(out.readSlice(out.readInt() - 4)));
        }
        return messages;
    }

    private static SessionParameters parameters(String... namesAndValues) {
        WantedParameters wanted = WantedParameters.none();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            wanted = wanted.with(namesAndValues[i], namesAndValues[i + 1]);
        }
        return new SessionParameters(wanted);
    }
}
