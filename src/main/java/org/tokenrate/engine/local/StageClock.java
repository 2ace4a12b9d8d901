package org.tokenrate.engine.local;

import java.util.Optional;
import org.tokenrate.engine.Stage;
import org.tokenrate.engine.StageTimes;

/** Is told by the engine's thread what it does now; {@link #times} may be asked by any. */
interface StageClock {
    /** Measures nothing. */
    StageClock OFF =
            new StageClock() {
                @Override
                public void enter(Stage stage) {}

                @Override
                public void iteration(boolean hasPrompts) {}

                @Override
                public Optional<StageTimes> times() {
                    return Optional.empty();
                }
            };

    /** The stage so far ends, and this one begins. */
    void enter(Stage stage);

    /** An iteration has been scheduled: it and what it took to schedule it are of its kind. */
    void iteration(boolean hasPrompts);

    /** All times up to this moment; empty if none are taken. */
    Optional<StageTimes> times();
}
