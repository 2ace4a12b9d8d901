package org.tokenrate.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CombinationNameTest {
    @Test
    void itHasTheSweptParametersOnly() {
        var values = Map.of("concurrency", "16", "tp", "2", "seed", "0");
        assertEquals(
                "concurrency=16,tp=2",
                CombinationName.of(List.of("concurrency", "tp"), values::get));
    }

    @Test
    void withoutASweepItIsAll() {
        assertEquals("all", CombinationName.of(List.of(), name -> "x"));
    }

    @Test
    void pathsThatLookAlikeOnceMadePlainStayApart() {
        String one = CombinationName.of(List.of("model"), name -> "models/a");
        String other = CombinationName.of(List.of("model"), name -> "models:a");
        assertNotEquals(one, other);
        assertTrue(one.matches("model=models_a~[0-9a-f]+"), one);
    }
}
