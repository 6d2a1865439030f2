/**
 * A pipeline job in Azure ML's own schema that needs no file beside it: components inline or registered, conda files as
 * text, `code:` an asset, a URI or the placeholder of a `LocalReference`. Plain JSON: it can be posted and parsed again.
 */
export interface PipelineDocument {
  readonly type: "pipeline";
  readonly name?: string;
  readonly [field: string]: unknown;
}
