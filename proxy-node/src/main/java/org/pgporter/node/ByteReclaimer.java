package org.pgporter.node;

import org.apache.pekko.actor.DeadLetter;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.eventstream.EventStream;
import org.apache.pekko.actor.typed.internal.AdaptMessage;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.pgporter.node.transport.HoldsBytes;

/// Gives back the buffers of messages whose receiver is gone. A session that ends may still have a batch or a
/// reply in its mailbox; such messages end among the dead letters, and their bytes would never be released.
final class ByteReclaimer {
    private ByteReclaimer() {}

    static Behavior<DeadLetter> create() {
        return Behaviors.setup(context -> {
            context.getSystem().eventStream().tell(new EventStream.Subscribe<>(DeadLetter.class, context.getSelf()));
            return Behaviors.receiveMessage(letter -> {
                Object message = letter.message();
                if (message instanceof AdaptMessage<?, ?> adapted) {
                    message = adapted.message();
                }
                if (message instanceof HoldsBytes holder) {
                    holder.releaseBytes();
                }
                return Behaviors.same();
            });
        });
    }
}
