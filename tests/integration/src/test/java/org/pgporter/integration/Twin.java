package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.FunctionCall;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.RawClient;

/// A client through the node, and one that says the same to PostgreSQL directly: both have to hear the same.
record Twin(RawClient proxied, RawClient direct) implements AutoCloseable {
    /// Sends the messages in one write and reads an answer for each Sync, Query and FunctionCall among them.
    ///
    /// @return what both were answered
    List<BackendMessage> says(FrontendMessage... messages) {
        proxied.sends(messages);
        direct.sends(messages);
        List<BackendMessage> expected = new ArrayList<>();
        List<BackendMessage> answers = new ArrayList<>();
        for (FrontendMessage message : messages) {
            if (message instanceof Sync || message instanceof Query || message instanceof FunctionCall) {
                expected.addAll(answer(direct));
                answers.addAll(answer(proxied));
            }
        }
        assertThat(answers).as(() -> lastWords(proxied)).isEqualTo(expected);
        return answers;
    }

    List<BackendMessage> asks(String sql) {
        return says(new Query(sql));
    }

    private static String lastWords(RawClient client) {
        List<String> lines = client.transcript().lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
    }

    private static List<BackendMessage> answer(RawClient client) {
        List<BackendMessage> answer = new ArrayList<>();
        do {
            answer.add(comparable(client.expectsAny()));
        } while (!(answer.getLast() instanceof ReadyForQuery));
        return answer;
    }

    /// Without the place in PostgreSQL's source: a Parse may be refused where a Bind would have been.
    private static BackendMessage comparable(BackendMessage message) {
        if (message instanceof ErrorResponse error) {
            Map<Character, String> fields = new TreeMap<>(error.fields());
            fields.keySet().removeAll(List.of('F', 'L', 'R'));
            return new ErrorResponse(fields);
        }
        return message;
    }

    @Override
    public void close() {
        proxied.close();
        direct.close();
    }
}
