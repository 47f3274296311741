package org.pgporter.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pgporter.auth.Secret;
import org.pgporter.auth.jwt.RoleNames;

/// Who an issuer's tokens make somebody, and as whom he comes to PostgreSQL.
///
/// @param usernameClaim the claim that says who it is; must be a text
/// @param userSuffix only users whose name ends so come with a token of this issuer; absent: any user that
///     the configuration does not know
/// @param userMap from the claim to a user name; none: the claim is the name
/// @param databases which databases they may use; none: all
/// @param autoProvision users that the configuration does not know get pools of their own
/// @param maxUsers of these, at one time in all databases together
/// @param readOnly their transactions begin as read only
/// @param serverUser role of their backend connections; absent: their own name
/// @param serverPassword of that role
/// @param role that their backend connections take on, by the startup packet
/// @param roleClaim the claim that says which; a text or a list of texts
/// @param roleMap from that claim to a role; of a list the first that a rule matches, in the order of the
///     rules
/// @param expiryGrace how long after its token's end a session may go on
public record TokenUsers(
        String usernameClaim,
        Optional<String> userSuffix,
        List<NameRuleConfig> userMap,
        List<String> databases,
        boolean autoProvision,
        int maxUsers,
        boolean readOnly,
        Optional<String> serverUser,
        Optional<Secret> serverPassword,
        Optional<String> role,
        Optional<String> roleClaim,
        List<NameRuleConfig> roleMap,
        Duration expiryGrace) {
    private static final TokenUsers DEFAULTS = new TokenUsers(
            "sub",
            Optional.empty(),
            List.of(),
            List.of(),
            false,
            100,
            false,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            Duration.ZERO);

    public TokenUsers {
        userMap = List.copyOf(userMap);
        databases = List.copyOf(databases);
        roleMap = List.copyOf(roleMap);
        Checks checks = new Checks()
                .notBlank("username_claim", usernameClaim)
                .notBlank("user_suffix", userSuffix)
                .notBlank("server_user", serverUser)
                .notBlank("role", role)
                .notBlank("role_claim", roleClaim)
                .atLeast("max_users", 1, maxUsers)
                .notNegative("expiry_grace", expiryGrace);
        role.ifPresent(name -> checks.require(
                RoleNames.usable(name),
                "role",
                "is not the name of a role, of " + RoleNames.MOST_BYTES + " bytes at most"));
        checks.require(
                role.isEmpty() || roleClaim.isEmpty(),
                "role",
                "says what role_claim says, too",
                "remove one of the two",
                Set.of("role", "role_claim"));
        checks.require(
                roleMap.isEmpty() || roleClaim.isPresent(),
                "role_map",
                "needs role_claim",
                "name the claim that the rules are for",
                Set.of("role_map", "role_claim"));
        checks.throwIfAny();
    }

    public static TokenUsers defaults() {
        return DEFAULTS;
    }

    public TokenUsers withUsernameClaim(String changed) {
        return Records.with(this, "usernameClaim", changed);
    }

    public TokenUsers withUserSuffix(String changed) {
        return Records.with(this, "userSuffix", Optional.of(changed));
    }

    public TokenUsers withUserMap(List<NameRuleConfig> changed) {
        return Records.with(this, "userMap", changed);
    }

    public TokenUsers withDatabases(List<String> changed) {
        return Records.with(this, "databases", changed);
    }

    public TokenUsers withAutoProvision(boolean changed) {
        return Records.with(this, "autoProvision", changed);
    }

    public TokenUsers withMaxUsers(int changed) {
        return Records.with(this, "maxUsers", changed);
    }

    public TokenUsers withReadOnly(boolean changed) {
        return Records.with(this, "readOnly", changed);
    }

    public TokenUsers withServerUser(String changed) {
        return Records.with(this, "serverUser", Optional.of(changed));
    }

    public TokenUsers withServerPassword(Secret changed) {
        return Records.with(this, "serverPassword", Optional.of(changed));
    }

    public TokenUsers withRole(String changed) {
        return Records.with(this, "role", Optional.of(changed));
    }

    public TokenUsers withRoleClaim(String changed) {
        return Records.with(this, "roleClaim", Optional.of(changed));
    }

    public TokenUsers withRoleMap(List<NameRuleConfig> changed) {
        return Records.with(this, "roleMap", changed);
    }

    public TokenUsers withExpiryGrace(Duration changed) {
        return Records.with(this, "expiryGrace", changed);
    }
}
