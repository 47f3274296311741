package org.pgporter.node.tls;

import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The subject of a certificate as PostgreSQL sees it: its common name, and the whole of it in the form of RFC 2253 as
/// OpenSSL writes it (`openssl x509 -subject -nameopt RFC2253`), because that is what people compare with.
///
/// Read from the encoding itself: the JDK's own RFC 2253 escapes other characters and knows other names of attributes.
public final class CertificateName {
    private static final String COMMON_NAME = "2.5.4.3";

    /// OpenSSL's short names. An attribute that is not here is written as its number, with its value in hexadecimal.
    private static final Map<String, String> SHORT_NAMES = Map.ofEntries(
            Map.entry(COMMON_NAME, "CN"),
            Map.entry("2.5.4.4", "SN"),
            Map.entry("2.5.4.5", "serialNumber"),
            Map.entry("2.5.4.6", "C"),
            Map.entry("2.5.4.7", "L"),
            Map.entry("2.5.4.8", "ST"),
            Map.entry("2.5.4.9", "street"),
            Map.entry("2.5.4.10", "O"),
            Map.entry("2.5.4.11", "OU"),
            Map.entry("2.5.4.12", "title"),
            Map.entry("2.5.4.13", "description"),
            Map.entry("2.5.4.15", "businessCategory"),
            Map.entry("2.5.4.17", "postalCode"),
            Map.entry("2.5.4.41", "name"),
            Map.entry("2.5.4.42", "GN"),
            Map.entry("2.5.4.43", "initials"),
            Map.entry("2.5.4.44", "generationQualifier"),
            Map.entry("2.5.4.46", "dnQualifier"),
            Map.entry("2.5.4.65", "pseudonym"),
            Map.entry("1.2.840.113549.1.9.1", "emailAddress"),
            Map.entry("0.9.2342.19200300.100.1.1", "UID"),
            Map.entry("0.9.2342.19200300.100.1.25", "DC"));

    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int OBJECT_IDENTIFIER = 0x06;

    /// One attribute of the name.
    ///
    /// @param group attributes with the same number stand together in one relative name
    /// @param tag the type of the value in ASN.1
    /// @param encoded the value with its tag and length
    /// @param value without
    private record Attribute(int group, String type, int tag, byte[] encoded, byte[] value) {}

    private final List<Attribute> attributes = new ArrayList<>();

    private CertificateName(byte[] encoded) {
        Der name = new Der(encoded).enter(SEQUENCE);
        for (int group = 0; name.hasMore(); group++) {
            Der set = name.enter(SET);
            while (set.hasMore()) {
                Der pair = set.enter(SEQUENCE);
                String type = objectIdentifier(pair.value(OBJECT_IDENTIFIER));
                int start = pair.position;
                int tag = pair.tag();
                byte[] value = pair.value(tag);
                attributes.add(new Attribute(group, type, tag, pair.from(start), value));
            }
        }
    }

    /// The subject of a certificate; empty when it cannot be read, or a name in it hides something behind a zero.
    public static Optional<CertificateName> subjectOf(X509Certificate certificate) {
        try {
            CertificateName name =
                    new CertificateName(certificate.getSubjectX500Principal().getEncoded());
            boolean hides = name.attributes.stream()
                    .flatMap(attribute -> text(attribute).stream())
                    .anyMatch(text -> text.indexOf('\0') >= 0);
            return hides ? Optional.empty() : Optional.of(name);
        } catch (IndexOutOfBoundsException | IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /// The first common name; empty where there is none, or an empty one.
    public Optional<String> commonName() {
        return attributes.stream()
                .filter(attribute -> attribute.type().equals(COMMON_NAME))
                .findFirst()
                .flatMap(CertificateName::text)
                .filter(text -> !text.isEmpty());
    }

    /// The whole subject; empty text for a subject without attributes.
    public String distinguishedName() {
        StringBuilder text = new StringBuilder();
        Optional<Integer> before = Optional.empty();
        for (Attribute attribute : attributes.reversed()) {
            before.ifPresent(group -> text.append(group == attribute.group() ? '+' : ','));
            String name = SHORT_NAMES.get(attribute.type());
            Optional<String> value = name == null ? Optional.empty() : text(attribute);
            text.append(name == null ? attribute.type() : name)
                    .append('=')
                    .append(value.map(CertificateName::escaped)
                            .orElseGet(
                                    () -> "#" + HexFormat.of().withUpperCase().formatHex(attribute.encoded())));
            before = Optional.of(attribute.group());
        }
        return text.toString();
    }

    /// The value as text, where its type is one of texts.
    private static Optional<String> text(Attribute attribute) {
        return switch (attribute.tag()) {
            case 0x0c -> decoded(attribute.value(), StandardCharsets.UTF_8);
            case 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a -> // numeric, printable, T61, IA5, times, visible
                decoded(attribute.value(), StandardCharsets.ISO_8859_1);
            case 0x1c -> decoded(attribute.value(), Charset.forName("UTF-32BE"));
            case 0x1e -> decoded(attribute.value(), StandardCharsets.UTF_16BE);
            default -> Optional.empty();
        };
    }

    private static Optional<String> decoded(byte[] value, Charset charset) {
        try {
            return Optional.of(
                    charset.newDecoder().decode(java.nio.ByteBuffer.wrap(value)).toString());
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a name is not in its own encoding", e);
        }
    }

    /// `ASN1_STRFLGS_RFC2253`: special characters behind a backslash, all that is not printable ASCII byte by byte.
    private static String escaped(String value) {
        StringBuilder text = new StringBuilder();
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < bytes.length; i++) {
            int c = bytes[i] & 0xff;
            boolean special = ",+\"\\<>;".indexOf(c) >= 0
                    || (c == ' ' && (i == 0 || i == bytes.length - 1))
                    || (c == '#' && i == 0);
            if (special) {
                text.append('\\').append((char) c);
            } else if (c < 0x20 || c > 0x7e) {
                text.append('\\').append(HexFormat.of().withUpperCase().toHexDigits((byte) c));
            } else {
                text.append((char) c);
            }
        }
        return text.toString();
    }

    private static String objectIdentifier(byte[] value) {
        StringBuilder text = new StringBuilder();
        long arc = 0;
        for (byte b : value) {
            if (arc > Long.MAX_VALUE >>> 8) {
                throw new IllegalArgumentException("an object identifier is too large");
            }
            arc = arc << 7 | b & 0x7f;
            if (b >= 0) {
                if (text.isEmpty()) {
                    long first = Math.min(arc / 40, 2);
                    text.append(first).append('.').append(arc - first * 40);
                } else {
                    text.append('.').append(arc);
                }
                arc = 0;
            }
        }
        return text.toString();
    }

    /// Reads elements one after the other. Whatever is not there is an [IndexOutOfBoundsException].
    private static final class Der {
        private final byte[] bytes;
        private final int end;
        private int position;

        Der(byte[] bytes) {
            this(bytes, 0, bytes.length);
        }

        private Der(byte[] bytes, int start, int end) {
            this.bytes = bytes;
            this.position = start;
            this.end = end;
        }

        boolean hasMore() {
            return position < end;
        }

        int tag() {
            return bytes[java.util.Objects.checkIndex(position, end)] & 0xff;
        }

        Der enter(int tag) {
            int length = header(tag);
            int start = position;
            position += length;
            return new Der(bytes, start, position);
        }

        byte[] value(int tag) {
            int length = header(tag);
            position += length;
            return java.util.Arrays.copyOfRange(bytes, position - length, position);
        }

        /// Everything between there and the position.
        byte[] from(int start) {
            return java.util.Arrays.copyOfRange(bytes, start, position);
        }

        private int header(int tag) {
            if (tag() != tag) {
                throw new IllegalArgumentException("a name has another structure");
            }
            position++;
            int length = next();
            if (length > 0x7f) {
                int count = length & 0x7f;
                if (count == 0 || count > 3) {
                    throw new IllegalArgumentException("a name has no possible length");
                }
                length = 0;
                for (int i = 0; i < count; i++) {
                    length = length << 8 | next();
                }
            }
            java.util.Objects.checkFromIndexSize(position, length, end);
            return length;
        }

        private int next() {
            int value = tag();
            position++;
            return value;
        }
    }
}
