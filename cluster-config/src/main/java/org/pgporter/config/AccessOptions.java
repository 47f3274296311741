package org.pgporter.config;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pgporter.auth.hba.AddressRange;

/// Who may come in at all, and how he proves himself; part of section `general`. Without any of it the stored
/// credential of each user says how.
///
/// @param pgHba rules in the language of `pg_hba.conf`
/// @param pgIdent the maps that rules name, in the language of `pg_ident.conf`
/// @param hba PgDoorman's plain list of addresses and ranges, in place of `pg_hba`; who comes from
///     elsewhere is refused, Unix sockets are not asked; empty: no such list
public record AccessOptions(Optional<RuleSource> pgHba, Optional<RuleSource> pgIdent, List<String> hba) {
    private static final AccessOptions DEFAULTS = new AccessOptions(Optional.empty(), Optional.empty(), List.of());

    public AccessOptions {
        hba = List.copyOf(hba);
        Checks checks = new Checks()
                .require(
                        hba.isEmpty() || pgHba.isEmpty(),
                        "hba",
                        "means nothing beside pg_hba",
                        "write its ranges into the rules of pg_hba",
                        Set.of("hba", "pg_hba"));
        for (int i = 0; i < hba.size(); i++) {
            checks.require(
                    AddressRange.parse(hba.get(i)).isPresent(),
                    "hba[" + i + "]",
                    "must be an address or a range such as 10.0.0.0/8",
                    "for names, users and databases use pg_hba",
                    Set.of("hba"));
        }
        checks.throwIfAny();
    }

    public static AccessOptions defaults() {
        return DEFAULTS;
    }

    public AccessOptions withPgHba(RuleSource changed) {
        return Records.with(this, "pgHba", Optional.of(changed));
    }

    public AccessOptions withPgIdent(RuleSource changed) {
        return Records.with(this, "pgIdent", Optional.of(changed));
    }

    public AccessOptions withHba(List<String> changed) {
        return Records.with(this, "hba", changed);
    }
}
