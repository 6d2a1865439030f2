// fashion_mnist.yml in TypeScript: the same static spec, and a wrong wiring does not compile.
import { integer, pipeline, uriFolder } from "mlpipe";
import { prep, score, train } from "../components/components.ts";

const fashionMnist = pipeline(
  {
    name: "fashion_mnist",
    display_name: "Fashion-MNIST",
    experiment_name: "fashion-mnist",
    description: "Prepares the four idx files of Fashion-MNIST, trains a convolutional network on them and scores it.",
    settings: {
      default_compute: "azureml:serverless",
      mlpipe: {
        promote: {
          model: "${{parent.outputs.model}}",
          name: "fashion-mnist",
          rules: [{ node: "score", metric: "Final test accuracy", at_least: 0.6 }],
        },
      },
    },
    inputs: { images: uriFolder(), epochs: integer({ default: 10 }), seed: integer({ default: 0 }) },
  },
  ({ inputs, node }) => {
    const small = { resources: { instance_type: "Standard_D4s_v5" } };
    const prepared = node(prep, { input_data: inputs.images }, small);
    const trained = node(
      train,
      { input_data: prepared.outputs.training_data, epochs: inputs.epochs, seed: inputs.seed },
      {
        resources: {
          instance_type: ["Standard_NC6s_v3", "Standard_NC4as_T4_v3", "Standard_NC24ads_A100_v4"],
          instance_count: 1,
        },
      },
    );
    const scored = node(
      score,
      { input_data: prepared.outputs.test_data, input_model: trained.outputs.output_model },
      small,
    );
    return {
      model: trained.outputs.output_model,
      predictions: scored.outputs.output_result,
      report: scored.outputs.output_report,
    };
  },
);

export { fashionMnist as pipeline };
