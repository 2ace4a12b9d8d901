/**
 * llama.cpp behind the engine's seam, through its Java binding, so that one run can hold both: it
 * works in a JVM of its own, whose input and output carry requests and tokens.
 */
package org.tokenrate.engine.llamacpp;
