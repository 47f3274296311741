package org.pgporter.auth;

import java.util.Map;

/// Marks the identity of a user who stands in no configuration and was found by a lookup.
///
/// @param startupParameters settings that the user's backend connections shall start with
public record DynamicUser(Map<String, String> startupParameters) {
    public DynamicUser {
        startupParameters = Map.copyOf(startupParameters);
    }
}
