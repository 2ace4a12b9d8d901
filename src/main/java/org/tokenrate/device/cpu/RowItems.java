package org.tokenrate.device.cpu;

/** How rows are cut into items: large enough to be worth claiming, small enough to share out. */
final class RowItems {
    /** Below about this many elements, handing work over costs more than it saves. */
    private static final int MIN_ELEMENTS = 4096;

    private RowItems() {}

    static int rowsPerItem(int rows, int columns, int threads) {
        int worthIt = (MIN_ELEMENTS + columns - 1) / columns;
        int fairShare = (rows + 4 * threads - 1) / (4 * threads);
        return Math.max(1, Math.max(worthIt, fairShare));
    }

    static int count(int rows, int rowsPerItem) {
        return (rows + rowsPerItem - 1) / rowsPerItem;
    }
}
