package org.pgporter.integration.differential;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How the bytes of one write are cut into smaller ones.
enum Delivery {
    WHOLE {
        @Override
        int next(int sent) {
            return Integer.MAX_VALUE;
        }
    },

    /// Each byte by itself. After so many that it would take long, larger pieces follow.
    BYTE_BY_BYTE {
        @Override
        int next(int sent) {
            return sent < SINGLE_BYTES ? 1 : LARGE_PIECE;
        }
    },

    /// Pieces that fit nothing: neither headers, nor words, nor messages.
    ODD {
        @Override
        int next(int sent) {
            return sent < SINGLE_BYTES ? ODD_PIECES[sent % ODD_PIECES.length] : LARGE_PIECE;
        }
    };

    private static final int SINGLE_BYTES = 1500;
    private static final int LARGE_PIECE = 7919; // prime
    private static final int[] ODD_PIECES = {7, 3, 11, 2, 29, 5, 13};

    /// The size of the next piece, after so many bytes.
    abstract int next(int sent);

    List<byte[]> pieces(byte[] bytes) {
        var pieces = new ArrayList<byte[]>();
        for (int at = 0; at < bytes.length; ) {
            var to = (int) Math.min(bytes.length, (long) at + next(at));
            pieces.add(Arrays.copyOfRange(bytes, at, to));
            at = to;
        }
        return pieces;
    }
}
