package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.pgporter.protocol.message.WireText;

/// Who a backend connection is beyond the role that logs in. It stands in the startup packet, so that
/// RESET ROLE, RESET ALL and DISCARD ALL return to it, and PostgreSQL is asked whether it is so before
/// anybody gets the connection.
///
/// @param role that the connection takes on; empty: the one that logs in
/// @param readOnly transactions begin as read only
public record BackendIdentity(Optional<String> role, boolean readOnly) {
    /// Who logs in.
    public static final BackendIdentity LOGIN = new BackendIdentity(Optional.empty(), false);

    /// What `role` is where nobody has taken one on.
    private static final String NO_ROLE = "none";

    private static final String READ_ONLY = "default_transaction_read_only";

    /// No rows are returned, but as many as there are is told: one, or none.
    private static final String CONFIRMATION = """
            SELECT WHERE pg_catalog.current_setting('role') OPERATOR(pg_catalog.=) $1
            AND ($1 OPERATOR(pg_catalog.=) 'none' OR CAST(current_user AS text) OPERATOR(pg_catalog.=) $1)
            AND ($2 OPERATOR(pg_catalog.=) '' OR pg_catalog.current_setting('default_transaction_read_only')
            OPERATOR(pg_catalog.=) $2)""";

    /// What [#writeConfirmation] is answered with if it is so.
    static final String CONFIRMED = "SELECT 1";

    /// The type OID of `text` (`pg_type.dat`).
    private static final int TEXT = 25;

    /// Whether PostgreSQL has to be asked.
    boolean mustBeConfirmed() {
        return !equals(LOGIN);
    }

    /// For the startup packet, after everything else.
    Map<String, String> startupParameters() {
        Map<String, String> parameters = new LinkedHashMap<>();
        role.ifPresent(name -> parameters.put("role", name));
        if (readOnly) {
            parameters.put(READ_ONLY, "on");
        }
        return parameters;
    }

    /// What the parameter `role` says while nobody has changed it.
    String defaultRole() {
        return role.orElse(NO_ROLE);
    }

    void writeConfirmation(ByteBuf out) {
        OwnMessages.writeParse(out, CONFIRMATION.getBytes(StandardCharsets.US_ASCII), TEXT, 2);
        OwnMessages.writeBind(out, WireText.encode(defaultRole()), WireText.encode(readOnly ? "on" : ""));
        OwnMessages.writeExecute(out);
        OwnMessages.writeSync(out);
    }
}
