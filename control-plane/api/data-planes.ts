import type {
  CompleteLayerUploadRequest,
  CompleteLayerUploadResponse,
  InitiateLayerUploadRequest,
  InitiateLayerUploadResponse,
  UploadLayerPartRequest,
  UploadLayerPartResponse,
} from '@aws-sdk/client-ecr'
import type { GetConsoleOutputCommandInput, GetConsoleOutputCommandOutput } from '@aws-sdk/client-ec2'
import type { Answer, Context } from './operation.ts'

/**
 * What reads and writes bytes that are not rows, and so may wait. This file is the one place on this floor that knows
 * promises; adapters implement it.
 */
export interface DataPlanes {
  readonly layers: {
    initiateLayerUpload(
      context: Context,
      input: InitiateLayerUploadRequest,
    ): Promise<InitiateLayerUploadResponse>
    uploadLayerPart(context: Context, input: UploadLayerPartRequest): Promise<UploadLayerPartResponse>
    completeLayerUpload(
      context: Context,
      input: CompleteLayerUploadRequest,
    ): Promise<CompleteLayerUploadResponse>
  }
  readonly consoles: {
    getConsoleOutput(
      context: Context,
      input: GetConsoleOutputCommandInput,
    ): Promise<Answer<GetConsoleOutputCommandOutput>>
  }
}
