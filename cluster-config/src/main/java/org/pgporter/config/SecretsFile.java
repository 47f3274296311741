package org.pgporter.config;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.pgporter.auth.Secret;

/// Secrets by name, and the encrypted file that holds them. Immutable.
///
/// ```
///   pgporter-secrets 1
///   <Base64: 12 random bytes, then AES-256-GCM over all names and values>
/// ```
///
/// The first line is authenticated with the rest, so that no other version can be made of a file. Each writing takes
/// new
/// random bytes; one key is good for far more writings (2^32) than anybody makes.
public final class SecretsFile {
    /// AES-256, in bytes.
    public static final int KEY_LENGTH = 32;

    /// Longest file that is read, in bytes.
    public static final int MOST_BYTES = 16 * 1024 * 1024;

    /// Longest value, in bytes: a password, a certificate chain and then some.
    public static final int MOST_VALUE_BYTES = 65_536;

    private static final String HEADER = "pgporter-secrets 1\n";
    private static final String FAMILY = "pgporter-secrets ";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
    private static final String CIPHER = "AES/GCM/NoPadding";
    private static final int NONCE_LENGTH = 12;
    private static final int TAG_BITS = 128;

    /// What stands in the way, in words that contain nothing of key or file.
    public static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String message) {
            super(message);
        }

        /// The words, which follow a file's name.
        public String reason() {
            return String.valueOf(getMessage());
        }
    }

    private final SequencedMap<String, Secret> values;

    private SecretsFile(SequencedMap<String, Secret> values) {
        this.values = Collections.unmodifiableSequencedMap(values);
    }

    /// Without any secret.
    public static SecretsFile empty() {
        return new SecretsFile(new TreeMap<>());
    }

    /// Reads a key as it stands in a file or a variable: 32 bytes in Base64.
    ///
    /// @throws Unreadable when it is something else
    public static byte[] key(String text) throws Unreadable {
        try {
            byte[] key = Base64.getDecoder().decode(text.strip());
            if (key.length == KEY_LENGTH) {
                return key;
            }
        } catch (IllegalArgumentException _) {
            // Said below, without a word of the text.
        }
        throw new Unreadable("is no key: expected 32 bytes in Base64");
    }

    /// A new key as [#key] reads it.
    public static String newKey(SecureRandom random) {
        byte[] key = new byte[KEY_LENGTH];
        random.nextBytes(key);
        return Base64.getEncoder().encodeToString(key);
    }

    /// Whether a secret may be called that.
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /// Opens a file.
    ///
    /// @throws Unreadable when it is none, or the key is not its key, or somebody has changed it
    public static SecretsFile open(byte[] content, byte[] key) throws Unreadable {
        String text = new String(content, StandardCharsets.ISO_8859_1);
        if (!text.startsWith(HEADER)) {
            throw new Unreadable(
                    text.startsWith(FAMILY) ? "is of a version that is not known here" : "is no file of secrets");
        }
        byte[] sealed;
        try {
            sealed = Base64.getMimeDecoder().decode(text.substring(HEADER.length()));
        } catch (IllegalArgumentException _) {
            throw new Unreadable("is damaged");
        }
        if (sealed.length < NONCE_LENGTH + TAG_BITS / Byte.SIZE) {
            throw new Unreadable("is damaged");
        }
        try {
            byte[] plain = cipher(Cipher.DECRYPT_MODE, key, Arrays.copyOf(sealed, NONCE_LENGTH))
                    .doFinal(sealed, NONCE_LENGTH, sealed.length - NONCE_LENGTH);
            return new SecretsFile(read(plain));
        } catch (GeneralSecurityException _) {
            throw new Unreadable("cannot be opened: it was made with another key, or has been changed");
        } catch (IOException _) {
            throw new Unreadable("is damaged");
        }
    }

    /// The file's content.
    ///
    /// @param key [#KEY_LENGTH] bytes
    public byte[] seal(byte[] key, SecureRandom random) {
        byte[] nonce = new byte[NONCE_LENGTH];
        random.nextBytes(nonce);
        try {
            byte[] encrypted = cipher(Cipher.ENCRYPT_MODE, key, nonce).doFinal(written());
            byte[] both = Arrays.copyOf(nonce, nonce.length + encrypted.length);
            System.arraycopy(encrypted, 0, both, nonce.length, encrypted.length);
            String lines = Base64.getMimeEncoder(76, new byte[] {'\n'}).encodeToString(both);
            return (HEADER + lines + "\n").getBytes(StandardCharsets.ISO_8859_1);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM is not available", e);
        }
    }

    public Optional<Secret> get(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /// In the order of the alphabet.
    public Set<String> names() {
        return values.sequencedKeySet();
    }

    /// The same with this one added, or in place of the one that has the name.
    ///
    /// @throws IllegalArgumentException when it is no [#isName], or the value is empty or too long
    public SecretsFile with(String name, Secret value) {
        int length = value.reveal().getBytes(StandardCharsets.UTF_8).length;
        if (!isName(name) || length == 0 || length > MOST_VALUE_BYTES) {
            throw new IllegalArgumentException("a secret has a name and 1 to " + MOST_VALUE_BYTES + " bytes");
        }
        SequencedMap<String, Secret> changed = new TreeMap<>(values);
        changed.put(name, value);
        return new SecretsFile(changed);
    }

    /// The same without this one.
    public SecretsFile without(String name) {
        SequencedMap<String, Secret> changed = new TreeMap<>(values);
        changed.remove(name);
        return new SecretsFile(changed);
    }

    private static Cipher cipher(int mode, byte[] key, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(HEADER.getBytes(StandardCharsets.ISO_8859_1));
        return cipher;
    }

    private byte[] written() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(values.size());
            for (var entry : values.entrySet()) {
                byte[] value = entry.getValue().reveal().getBytes(StandardCharsets.UTF_8);
                out.writeUTF(entry.getKey());
                out.writeInt(value.length);
                out.write(value);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static SequencedMap<String, Secret> read(byte[] plain) throws IOException {
        SequencedMap<String, Secret> values = new TreeMap<>();
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(plain))) {
            for (int left = in.readInt(); left > 0; left--) {
                String name = in.readUTF();
                int length = in.readInt();
                if (length < 0 || length > MOST_VALUE_BYTES) {
                    throw new IOException("a value has no possible length");
                }
                byte[] value = in.readNBytes(length);
                values.put(name, Secret.of(text(value)));
            }
        }
        return values;
    }

    private static String text(byte[] value) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(value))
                .toString();
    }
}
