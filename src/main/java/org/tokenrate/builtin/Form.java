package org.tokenrate.builtin;

/** A kind of dialogue. Stateless: all chance comes from the composer. */
interface Form {
    /**
     * Composes a turn.
     *
     * @param promptChars about how long the prompt should become
     * @param answerChars about how long the answer should become; a form that has said all it knows
     *     stops earlier
     */
    Turn compose(Composer composer, int promptChars, int answerChars);
}
