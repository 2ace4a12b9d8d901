package org.tokenrate.builtin;

/** What a person writes and what is answered. */
record Turn(String prompt, String answer) {}
