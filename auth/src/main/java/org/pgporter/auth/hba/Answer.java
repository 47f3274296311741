package org.pgporter.auth.hba;

import java.util.List;
import java.util.stream.Stream;

/// Whether a part of a rule fits, as far as it is known.
sealed interface Answer {
    Answer YES = new Yes();
    Answer NO = new No();

    record Yes() implements Answer {}

    record No() implements Answer {}

    /// It cannot be told.
    record Unknown(String cause) implements Answer {}

    /// It can be told when this has been asked.
    record Ask(Question question) implements Answer {}

    static Answer of(boolean fits) {
        return fits ? YES : NO;
    }

    /// Yes as soon as one is yes; else what is still open; no only if all are.
    static Answer any(Stream<Answer> answers) {
        List<Answer> all = answers.toList();
        return all.contains(YES) ? YES : open(all, NO);
    }

    /// No as soon as one is no; else what is still open; yes only if all are.
    static Answer all(Answer... answers) {
        List<Answer> all = List.of(answers);
        return all.contains(NO) ? NO : open(all, YES);
    }

    private static Answer open(List<Answer> all, Answer otherwise) {
        return all.stream()
                .filter(Ask.class::isInstance)
                .findFirst()
                .or(() -> all.stream().filter(Unknown.class::isInstance).findFirst())
                .orElse(otherwise);
    }
}
