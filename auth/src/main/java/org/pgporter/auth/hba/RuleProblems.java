package org.pgporter.auth.hba;

import java.util.List;
import java.util.stream.Collectors;

/// A file of rules that cannot be used, with all that is wrong in it.
public final class RuleProblems extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<RuleProblem> problems;

    /// @param problems at least one
    public RuleProblems(List<RuleProblem> problems) {
        super(problems.stream().map(RuleProblem::toString).collect(Collectors.joining("; ")));
        this.problems = List.copyOf(problems);
    }

    /// In the order of the file.
    public List<RuleProblem> problems() {
        return problems;
    }
}
