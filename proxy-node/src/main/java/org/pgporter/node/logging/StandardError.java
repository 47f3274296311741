package org.pgporter.node.logging;

import java.io.OutputStream;

/// Standard error for an appender. Logback closes what an appender writes to when it is replaced; standard error
/// belongs to the whole
/// process and stays open.
final class StandardError extends OutputStream {
    @Override
    public void write(int octet) {
        System.err.write(octet);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        System.err.write(bytes, offset, length);
    }

    @Override
    public void flush() {
        System.err.flush();
    }
}
