package org.pgporter.bench;

import java.nio.file.Path;
import java.util.Optional;

/// PostgreSQL without anything in between.
record Direct() implements Contender {
    /// More clients than these would mean as many server processes.
    static final int CLIENTS = 500;

    @Override
    public String name() {
        return "PostgreSQL directly";
    }

    @Override
    public Optional<String> cannot(Work work) {
        return switch (work) {
            case Work.Load load
            when load.clients() > CLIENTS -> Optional.of("would be " + load.clients() + " server processes");
            case Work.Load load when load.setup() == Setup.POOLS -> Optional.of("has no pools");
            case Work.Idle _ -> Optional.of("would be a server process for each");
            case Work.Start _, Work.Allocation _ -> Optional.of("is not a pooler");
            case Work.Load _, Work.Bulk _ -> Optional.empty();
        };
    }

    @Override
    public Pooler start(Database database, Setup setup, Path directory) {
        return Pooler.direct(this, database);
    }

    @Override
    public boolean isPooler() {
        return false;
    }
}
