import type {
  ResumeSessionRequest,
  ResumeSessionResponse,
  TerminateSessionRequest,
  TerminateSessionResponse,
} from '@aws-sdk/client-ssm'
import type { Context, Operation } from '#api/operation.ts'
import { formatArn } from '#domain/arn.ts'

/**
 * What session-manager-plugin asks for when its connection broke: the token to come back with. Of a session that is over
 * there is none, which the plugin takes for the end, as it should.
 */
export const resumeSession: Operation<ResumeSessionRequest, ResumeSessionResponse> = {
  resources: sessionResources,
  run: ({ scope, dataPlanes }, { SessionId = '' }) => ({
    SessionId,
    TokenValue: dataPlanes.commands.resumeSession(scope.accountId, SessionId),
  }),
}

/** Ends a session of ECS Exec; one that is over is fine. */
export const terminateSession: Operation<TerminateSessionRequest, TerminateSessionResponse> = {
  resources: sessionResources,
  run: ({ scope, dataPlanes }, { SessionId = '' }) => {
    dataPlanes.commands.terminateSession(scope.accountId, SessionId)
    return { SessionId }
  },
}

function sessionResources({ scope }: Context, input: { readonly SessionId?: string | undefined }): string[] {
  return [formatArn(scope, 'ssm', `session/${input.SessionId ?? ''}`)]
}
