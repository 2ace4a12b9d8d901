package org.tokenrate.engine.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.tokenrate.checkpoint.AwqCheckpoint;
import org.tokenrate.checkpoint.AwqData;
import org.tokenrate.checkpoint.AwqNumbers;
import org.tokenrate.checkpoint.AwqWriter;
import org.tokenrate.model.HfFolder;
import org.tokenrate.model.RandomModel;

/** Random models in AutoAWQ's layout. */
final class FourBits {
    private FourBits() {}

    /**
     * Writes a model's weights in 4 bits, and puts into the model what is left of them.
     *
     * @return the folder
     */
    static Path write(Path temporary, RandomModel model, int groupSize) throws IOException {
        Path dense = temporary.resolve("dense");
        Path awq = temporary.resolve("awq");
        Files.createDirectories(awq);
        HfFolder.write(dense, model);
        AwqWriter.convert(dense, awq, groupSize);
        try (AwqCheckpoint checkpoint = AwqCheckpoint.open(awq)) {
            for (String name : model.names()) {
                if (!name.endsWith("_proj.weight")) continue;
                long[] shape = model.shape(name);
                String layer = name.substring(0, name.length() - ".weight".length());
                AwqData data = (AwqData) checkpoint.linear(layer, shape[0], shape[1]);
                float[] numbers = AwqNumbers.of(data);
                System.arraycopy(numbers, 0, model.weight(name), 0, numbers.length);
            }
        }
        return awq;
    }
}
