package org.tokenrate.device.cpu;

/** One thread's row buffers, grown to the widest row that a kernel asked for. */
final class Scratch {
    float[] a = new float[0];
    short[] halves = new short[0];
    int[] bits = new int[0];

    void ensure(int columns) {
        if (a.length >= columns) return;
        a = new float[columns];
        halves = new short[columns];
        bits = new int[columns];
    }
}
