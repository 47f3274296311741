package org.pgporter.node.pool;

import java.util.HashSet;
import java.util.Set;

/// Which databases an operator has paused or disabled. Confined to the registry of pools.
final class DatabaseStates {
    private final Set<String> paused = new HashSet<>();
    private final Set<String> disabled = new HashSet<>();
    private boolean allPaused;

    boolean isPaused(String database) {
        return allPaused || paused.contains(database);
    }

    boolean isDisabled(String database) {
        return disabled.contains(database);
    }

    void pause(String database) {
        paused.add(database);
    }

    void pauseAll() {
        allPaused = true;
    }

    /// @return false if nothing of it was paused; a database that is paused with all others is not paused by itself
    boolean resume(String database) {
        return paused.remove(database) && !allPaused;
    }

    /// @return false if nothing was paused
    boolean resumeAll() {
        boolean some = allPaused || !paused.isEmpty();
        allPaused = false;
        paused.clear();
        return some;
    }

    void disable(String database) {
        disabled.add(database);
    }

    void enable(String database) {
        disabled.remove(database);
    }

    /// What holds for all together, and for single databases beside that.
    DatabasesView view() {
        return new DatabasesView(allPaused, Set.copyOf(paused), Set.copyOf(disabled));
    }
}
