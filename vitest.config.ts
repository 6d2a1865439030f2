import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: ["test/suite/**"] } },
      {
        extends: true,
        test: {
          name: "suite",
          include: ["test/suite/**/*.test.ts"],
          globalSetup: "test/suite/shared-stack.ts",
        },
      },
    ],
  },
});
