package org.pgporter.auth.md5;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.pgporter.auth.Md5Hash;
import org.pgporter.auth.Secret;

/// What to answer to `AuthenticationMD5Password`: `md5` and the digest of the stored hash and the salt.
public final class Md5Response {
    private Md5Response() {}

    /// The response of somebody who knows the password.
    ///
    /// @param user the role that logs in; it is part of the hash
    /// @param salt the 4 bytes of the challenge
    /// @return 35 ASCII characters, without the NUL that ends them on the wire
    public static String forPassword(String user, Secret password, byte[] salt) {
        return forHash(hashOf(user, password), salt);
    }

    /// The response of somebody who knows the stored hash: for PostgreSQL that is as good as the password.
    ///
    /// @param salt the 4 bytes of the challenge
    /// @return 35 ASCII characters, without the NUL that ends them on the wire
    public static String forHash(Md5Hash hash, byte[] salt) {
        return "md5" + digest(hash.hex().getBytes(StandardCharsets.US_ASCII), salt);
    }

    /// The hash that PostgreSQL stores for this password of this user.
    public static Md5Hash hashOf(String user, Secret password) {
        return new Md5Hash(
                digest(password.reveal().getBytes(StandardCharsets.UTF_8), user.getBytes(StandardCharsets.UTF_8)));
    }

    private static String digest(byte[] first, byte[] second) {
        try {
            MessageDigest md5 = MessageDigest.getInstance("MD5");
            md5.update(first);
            md5.update(second);
            return HexFormat.of().formatHex(md5.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("MD5 is not available", e);
        }
    }
}
