package org.pgporter.integration.differential;

import java.util.ArrayList;
import java.util.List;
import org.pgporter.config.PoolMode;

/// Plays a conversation in every way and says what is not as it must be.
final class Comparison {
    private static final List<PoolMode> MODES = List.of(PoolMode.TRANSACTION, PoolMode.SESSION);

    private final Stage stage;
    private final List<Delivery> deliveries;

    private Comparison(Stage stage, List<Delivery> deliveries) {
        this.stage = stage;
        this.deliveries = deliveries;
    }

    static Comparison on(Stage stage) {
        return new Comparison(stage, List.of(Delivery.values()));
    }

    /// With the bytes of each write cut in this way only.
    Comparison delivered(Delivery delivery) {
        return new Comparison(stage, List.of(delivery));
    }

    /// Everything that is wrong, in words; empty if PgPorter cannot be told from PostgreSQL, or only where it is
    /// known to differ.
    List<String> of(Conversation conversation) {
        var expected = stage.playDirectly(conversation, Delivery.WHOLE);
        var wrong = new ArrayList<String>();
        expected.problem().ifPresent(it -> wrong.add("the conversation itself is wrong: " + it + said(conversation)));
        for (var mode : MODES) {
            var deviation = conversation.deviation(mode);
            for (var delivery : deviation.isPresent() ? List.of(Delivery.WHOLE) : deliveries) {
                var difference = expected.differenceTo(stage.playProxied(conversation, mode, delivery));
                if (deviation.isPresent()) {
                    if (difference.isEmpty()) {
                        wrong.add("in " + mode + " mode it is equal now, and deviates no longer: "
                                + deviation.get().reason());
                    }
                } else {
                    difference.ifPresent(it ->
                            wrong.add("in " + mode + " mode, delivered " + delivery + ": " + it + said(conversation)));
                }
            }
        }
        return wrong;
    }

    private static String said(Conversation conversation) {
        return "\n  " + conversation.origin() + "\n" + conversation.text().indent(2);
    }
}
