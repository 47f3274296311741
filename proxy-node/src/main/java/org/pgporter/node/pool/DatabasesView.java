package org.pgporter.node.pool;

import java.util.Set;

/// What an operator has paused or disabled.
///
/// @param allPaused every database, also those that nobody uses yet
/// @param paused single databases
/// @param disabled databases that nobody can log in to
public record DatabasesView(boolean allPaused, Set<String> paused, Set<String> disabled) {
    public boolean isPaused(String database) {
        return allPaused || paused.contains(database);
    }
}
