package org.pgporter.support;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.ProtocolViolation;

/// What a [RawClient] has received and nobody has asked for yet. What a server may send at any time is laid aside, so
/// that
/// it does not disturb who expects an answer.
final class BackendInbox {
    // The family of BackendMessage has no record for it, so it is laid aside as what it contains.
    private static final byte PARAMETER_DESCRIPTION = 't';

    private final WireSocket socket;
    private final Transcript transcript;
    private final Deque<BackendMessage> inbox = new ArrayDeque<>();
    private final Deque<BackendMessage> aside = new ArrayDeque<>();
    private final Deque<List<Integer>> parameterDescriptions = new ArrayDeque<>();
    private final Map<String, String> parameterStatus = new LinkedHashMap<>();
    private Optional<BackendKeyData> backendKey = Optional.empty();

    BackendInbox(WireSocket socket, Transcript transcript) {
        this.socket = socket;
        this.transcript = transcript;
    }

    Map<String, String> parameterStatus() {
        return Map.copyOf(parameterStatus);
    }

    Optional<BackendKeyData> backendKey() {
        return backendKey;
    }

    /// The next message that is not laid aside.
    BackendMessage next(String awaited) {
        while (inbox.isEmpty()) {
            receiveOrFail(awaited);
        }
        return inbox.remove();
    }

    /// The next message that is not laid aside; empty when the server has closed.
    Optional<BackendMessage> nextIfAny(String awaited) {
        while (inbox.isEmpty()) {
            if (!receive(awaited)) {
                return Optional.empty();
            }
        }
        return Optional.of(inbox.remove());
    }

    /// The next message of this kind that was, or will be, laid aside.
    <T extends BackendMessage> T nextAside(Class<T> kind) {
        while (true) {
            for (Iterator<BackendMessage> all = aside.iterator(); all.hasNext(); ) {
                var message = all.next();
                if (kind.isInstance(message)) {
                    all.remove();
                    return kind.cast(message);
                }
            }
            receiveOrFail(kind.getSimpleName());
        }
    }

    List<NotificationResponse> takeNotifications() {
        var notifications = aside.stream()
                .filter(NotificationResponse.class::isInstance)
                .map(NotificationResponse.class::cast)
                .toList();
        aside.removeAll(notifications);
        return notifications;
    }

    /// The oids of the next ParameterDescription.
    List<Integer> nextParameterDescription() {
        while (parameterDescriptions.isEmpty()) {
            receiveOrFail("ParameterDescription");
        }
        return parameterDescriptions.remove();
    }

    private static List<Integer> parameterTypes(WireSocket.Frame frame) {
        var count = frame.body().readUnsignedShort();
        return Stream.generate(() -> frame.body().readInt()).limit(count).toList();
    }

    private void receiveOrFail(String awaited) {
        if (!receive(awaited)) {
            throw transcript.failure("expected " + awaited + ", but the server closed the connection");
        }
    }

    /// Reads one message and puts it where it belongs; false when the server has closed.
    private boolean receive(String awaited) {
        var frame = socket.readTyped(awaited);
        if (frame.isEmpty()) {
            transcript.line(Transcript.BACKEND, "closed");
            return false;
        }
        if (frame.get().type() == PARAMETER_DESCRIPTION) {
            var types = parameterTypes(frame.get());
            transcript.line(Transcript.BACKEND, "ParameterDescription " + types);
            parameterDescriptions.add(types);
            return true;
        }
        var message = decoded(frame.get());
        transcript.message(Transcript.BACKEND, message);
        switch (message) {
            case ParameterStatus it -> {
                parameterStatus.put(it.name(), it.value());
                aside.add(it);
            }
            case NoticeResponse it -> aside.add(it);
            case NotificationResponse it -> aside.add(it);
            case BackendKeyData it -> {
                backendKey = Optional.of(it);
                inbox.add(it);
            }
            case BackendMessage it -> inbox.add(it);
        }
        return true;
    }

    private BackendMessage decoded(WireSocket.Frame frame) {
        try {
            return BackendMessage.decode(frame.type(), frame.body());
        } catch (ProtocolViolation e) {
            throw transcript.failure(
                    "got a message '" + (char) frame.type() + "' that cannot be read: " + e.getMessage(), e);
        }
    }

    static boolean laysAside(Class<?> kind) {
        return kind == ParameterStatus.class || kind == NoticeResponse.class || kind == NotificationResponse.class;
    }
}
