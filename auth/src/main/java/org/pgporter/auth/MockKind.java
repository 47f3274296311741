package org.pgporter.auth;

import java.util.Collection;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.StoredCredential;

/// Which exchange an unknown user is led through.
public enum MockKind {
    SCRAM_SHA_256,
    MD5;

    /// The kind that most of the configured users have, so that an unknown user does not stand out among them.
    /// SCRAM-SHA-256 when there are as many of both, or none. Plain passwords count as SCRAM-SHA-256, which is
    /// how their users are asked.
    public static MockKind ofMajority(Collection<? extends StoredCredential> credentials) {
        long md5 = credentials.stream().filter(Md5Secret.class::isInstance).count();
        return md5 > credentials.size() - md5 ? MD5 : SCRAM_SHA_256;
    }
}
