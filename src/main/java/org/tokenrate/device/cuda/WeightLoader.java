package org.tokenrate.device.cuda;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.DType;
import org.tokenrate.checkpoint.DenseData;
import org.tokenrate.checkpoint.LinearData;
import org.tokenrate.checkpoint.TensorData;

/** Brings a checkpoint's weights to the device, in its type and layouts. */
final class WeightLoader implements AutoCloseable {
    /** The kernels move 16 bytes at a time. */
    static final int ALIGNED = 8;

    private final DeviceMemory memory;
    private final DType dtype;
    private final Upload upload;
    private final FourBitLoader fourBit;

    WeightLoader(
            GpuContext context,
            DeviceMemory memory,
            KernelModules modules,
            Launcher launcher,
            DType dtype) {
        this.memory = memory;
        this.dtype = dtype;
        upload = new Upload(context, memory);
        fourBit = new FourBitLoader(context, memory, modules, launcher, upload);
    }

    CudaTable table(TensorData data) throws IOException {
        int rows = Math.toIntExact(data.rowCount());
        int columns = aligned(Math.toIntExact(data.rowLength()), data.name());
        long bytes = (long) rows * columns * dtype.bytes();
        return new CudaTable(dense(List.of(data)), rows, columns, bytes);
    }

    /** As {@link org.tokenrate.device.Device#loadMatrix}. */
    CudaMatrix matrix(List<LinearData> parts, List<TensorData> biases) throws IOException {
        String name = parts.get(0).name();
        int inputs = aligned(Math.toIntExact(parts.get(0).inputs()), name);
        int outputs = Math.toIntExact(parts.stream().mapToLong(LinearData::outputs).sum());
        long bias = 0;
        if (!biases.isEmpty()) {
            aligned(outputs, name);
            long given = biases.stream().mapToLong(TensorData::rowLength).sum();
            if (given != outputs) {
                throw new IOException(
                        "%s has %d outputs, but a bias of %d numbers"
                                .formatted(name, outputs, given));
            }
            bias = dense(biases);
        }
        if (parts.get(0) instanceof AwqData) return fourBit.load(parts, outputs, inputs, bias);
        List<TensorData> rows = new ArrayList<>();
        for (LinearData part : parts) {
            if (!(part instanceof DenseData d)) {
                throw new IOException(part.name() + " is of 4 bits, " + name + " is not");
            }
            rows.add(d.rows());
        }
        long weights = dense(rows);
        long bytes = ((long) outputs * inputs + (bias == 0 ? 0 : outputs)) * dtype.bytes();
        return new DenseMatrix(outputs, inputs, new DevicePointer(weights), bias, bytes);
    }

    private static int aligned(int count, String name) throws IOException {
        if (count % ALIGNED == 0) return count;
        throw new IOException(
                "%s is %d wide; engine=cuda needs multiples of %d: use engine=cpu"
                        .formatted(name, count, ALIGNED));
    }

    /** Tensors one behind the other. */
    private long dense(List<TensorData> parts) throws IOException {
        long bytes = 0;
        for (TensorData part : parts) bytes += part.rowCount() * part.rowLength() * dtype.bytes();
        long start = memory.allocate(bytes, parts.get(0).name());
        long to = start;
        for (TensorData part : parts) {
            long size = part.rowCount() * part.rowLength() * dtype.bytes();
            upload.copy(
                    (from, into) -> WeightReader.read(part, from / dtype.bytes(), dtype, into),
                    to,
                    size);
            to += size;
        }
        return start;
    }

    @Override
    public void close() {
        fourBit.close();
        upload.close();
    }
}
