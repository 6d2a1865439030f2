import { type UploadAnswer, UploadAnswer as Answer, UploadRequest } from "#shared/api.ts";
import { uploadFolder } from "#shared/domain/layout.ts";
import { snapshotHash } from "#shared/domain/snapshot.ts";
import { MlpipeError } from "#shared/errors.ts";
import type { App } from "../app.ts";
import { defineRoute, json } from "../route.ts";

export const createUpload = ({ blobs }: App) =>
  defineRoute(
    {
      name: "createUpload",
      method: "POST",
      path: "uploads",
      summary: "Ask where to put a folder's files; asked again when they are there, it says so",
      body: UploadRequest,
      answer: {
        status: 200,
        description: "The folder's URI, and where to PUT the files when they are not there yet",
        schema: Answer,
      },
    },
    async ({ body }) => {
      const hash = await snapshotHash(body.files);
      if (hash !== body.hash) throw new MlpipeError("InvalidRequest", `hash: the files listed have the hash ${hash}`);
      const folder = uploadFolder(hash);
      const uri = await blobs.uriOf(folder);
      const present = new Map((await blobs.list(folder, 20_001)).map(({ path, size }) => [path, size]));
      const isComplete = body.files.every(({ path, size }) => present.get(path) === size);
      if (isComplete) return json(200, { uri } satisfies UploadAnswer);
      const { containerUrl, sas, expires } = await blobs.uploadSignature();
      return json(200, {
        uri,
        upload: { url: `${containerUrl}/${folder.slice(0, -1)}`, sas, expires },
      } satisfies UploadAnswer);
    },
  );
