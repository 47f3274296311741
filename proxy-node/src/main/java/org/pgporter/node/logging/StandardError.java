package org.pgporter.node.logging;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;

/// Standard error for an appender. Logback closes what an appender writes to when it is replaced; standard error
/// belongs to the whole
/// process and stays open.
final class StandardError extends FilterOutputStream {
    StandardError() {
        super(new FileOutputStream(FileDescriptor.err));
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
        flush();
    }
}
