package org.pgporter.integration.differential;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.Bytes;

/// What clients say, and nothing of what they hear. [ConversationReader] describes the text it is written in.
///
/// @param origin the file and line where it stands, or the seed it was made from
/// @param name what it is about, often with the number of an item of the checklist
/// @param setup statements of the superuser before it begins
/// @param startup further parameters of every client's StartupMessage
/// @param deviations where PgPorter is known to answer differently
/// @param source the lines it was read from, without the first
record Conversation(
        String origin,
        String name,
        List<String> setup,
        Map<String, String> startup,
        List<Deviation> deviations,
        List<Step> steps,
        List<String> source) {

    /// One thing that one client does.
    sealed interface Step {
        String client();
    }

    /// Something to send. It goes out together with what follows, until a [Write] or anything that is no [Say].
    record Say(String client, Bytes bytes) implements Step {}

    /// What was said so far goes out now.
    record Write(String client) implements Step {}

    /// The client reads until it has got one message of these types, so many times.
    record Await(String client, String types, int times) implements Step {}

    /// The client reads until the server closes the connection.
    record AwaitClosed(String client) implements Step {}

    /// A CancelRequest of the client's session on a connection of its own, until the server has closed that.
    record Cancel(String client) implements Step {}

    /// The client closes without a word.
    record Leave(String client) implements Step {}

    /// @param mode where the transcripts differ
    /// @param reason as it stands in the table of `docs/limits.md`
    record Deviation(PoolMode mode, String reason) {}

    Optional<Deviation> deviation(PoolMode mode) {
        return deviations.stream().filter(it -> it.mode() == mode).findFirst();
    }

    /// The clients in the order in which they say something.
    List<String> clients() {
        return steps.stream().map(Step::client).distinct().toList();
    }

    /// The text that can be read again.
    String text() {
        return Stream.concat(Stream.of("conversation " + name), source.stream())
                .collect(Collectors.joining("\n    ", "", "\n"));
    }

    @Override
    public String toString() {
        return name;
    }
}
