package org.tokenrate.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.tokenrate.checkpoint.HfCheckpoint;
import org.tokenrate.device.cpu.CpuDevice;

/**
 * A JVM's main class: loads the model it is given onto so many ranks; prints its size on the device
 * and the peak.
 */
final class LoadsInLittleMemory {
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        int ranks = Integer.parseInt(args[1]);
        List<Shard> shards = Shard.of(ModelConfig.read(folder), ranks, inputs -> 1);
        try (HfCheckpoint checkpoint = HfCheckpoint.open(folder);
                ShardedDecoder decoder =
                        new ShardedDecoder(
                                shards, checkpoint, CpuDevice.preferredType(), 2, 16, 4, 1)) {
            long weights = 0;
            for (int r = 0; r < ranks; r++) weights += decoder.weightBytes(r);
            String peak =
                    Files.readAllLines(Path.of("/proc/self/status")).stream()
                            .filter(line -> line.startsWith("VmHWM:"))
                            .findFirst()
                            .orElseThrow()
                            .replaceAll("[^0-9]", "");
            System.out.println(weights + " " + (Long.parseLong(peak) << 10));
        }
    }
}
