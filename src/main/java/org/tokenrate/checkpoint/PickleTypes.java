package org.tokenrate.checkpoint;

import java.util.List;

/** What a pickle may make: the classes and functions that {@link PickleReader} lets it name. */
interface PickleTypes {
    /**
     * @param name in full, e.g. {@code collections.OrderedDict}
     */
    boolean knows(String name);

    /**
     * The value of a call.
     *
     * @param name of a function or class that is known
     * @throws IllegalArgumentException if it does not take these arguments; the message says why
     */
    Object call(String name, List<Object> arguments);

    /**
     * The value of a reference to something outside of the pickle.
     *
     * @throws IllegalArgumentException if it is none; the message says why
     */
    Object persistent(Object id);
}
