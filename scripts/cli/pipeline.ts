/** Whether this runs in a pipeline, from what the pipeline says. */

/** Pipelines set CI; a person may switch it off. */
export const isPipeline = (ci: string | undefined): boolean =>
  !['', '0', 'false'].includes(ci?.trim().toLowerCase() ?? '')
