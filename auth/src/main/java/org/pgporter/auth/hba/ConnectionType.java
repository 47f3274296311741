package org.pgporter.auth.hba;

import java.util.Arrays;
import java.util.Optional;

/// The first field of a rule. There is no encryption by GSSAPI here, so `hostgssenc` fits nobody, and
/// `hostnogssenc` is another word for `host`.
enum ConnectionType {
    LOCAL("local", true, false, false),
    HOST("host", false, true, true),
    HOSTSSL("hostssl", false, true, false),
    HOSTNOSSL("hostnossl", false, false, true),
    HOSTGSSENC("hostgssenc", false, false, false),
    HOSTNOGSSENC("hostnogssenc", false, true, true);

    private final String word;
    private final boolean local;
    private final boolean encrypted;
    private final boolean plain;

    ConnectionType(String word, boolean local, boolean encrypted, boolean plain) {
        this.word = word;
        this.local = local;
        this.encrypted = encrypted;
        this.plain = plain;
    }

    static Optional<ConnectionType> of(String word) {
        return Arrays.stream(values()).filter(type -> type.word.equals(word)).findFirst();
    }

    String word() {
        return word;
    }

    boolean fits(HbaRequest request) {
        return request.local() ? local : request.tls() ? encrypted : plain;
    }

    boolean covers(ConnectionType other) {
        return (local || !other.local) && (encrypted || !other.encrypted) && (plain || !other.plain);
    }
}
