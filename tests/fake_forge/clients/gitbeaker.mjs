// A GitLab client that others wrote against the fake. FAKE has its address, TOKENS those of ada, bob; PROJECT a path with
// a branch `topic` that is ready for a merge request. NODE_EXTRA_CA_CERTS lets node trust the fake.
import assert from 'assert';
import { pathToFileURL } from 'url';
const { Gitlab } = await import(pathToFileURL(`${process.cwd()}/node_modules/@gitbeaker/rest/dist/index.mjs`));

const [ada, bob] = process.env.TOKENS.split(' '), project = process.env.PROJECT, host = process.env.FAKE;
const gitlab = new Gitlab({ host, token: ada }), reviewer = new Gitlab({ host, oauthToken: bob });
const status = (wanted) => (error) => error.cause?.response?.status === wanted;
const look = async () => (await gitlab.MergeRequests.show(project, one)).detailed_merge_status;

const me = await gitlab.Users.showCurrentUser();
assert.equal(me.username, 'ada');
assert.deepEqual((await gitlab.PersonalAccessTokens.show()).scopes, ['api']);
assert.equal((await gitlab.Projects.show(project)).permissions.project_access.access_level, 30);
assert.equal((await gitlab.ProjectMembers.show(project, me.id, { includeInherited: true })).access_level, 30);
await assert.rejects(gitlab.Projects.show('no/such'), (error) => status(404)(error) && /404 Project Not Found/.test(error.message));
await assert.rejects(new Gitlab({ host, token: 'wrong' }).Users.showCurrentUser(), status(401));

const made = await gitlab.MergeRequests.create(project, 'topic', 'main', 'Topic', { description: 'Why', removeSourceBranch: true });
const one = made.iid;
await assert.rejects(gitlab.MergeRequests.create(project, 'topic', 'main', 'Topic'),
  (error) => status(409)(error) && error.message.includes(`Another open merge request already exists for this source branch: !${one}`));
assert.equal(await look(), 'checking');
assert.equal(await look(), 'not_approved');

const { diff_refs: refs } = await gitlab.MergeRequests.show(project, one);
const thread = await reviewer.MergeRequestDiscussions.create(project, one, 'Why?', { position: {
  positionType: 'text', baseSha: refs.base_sha, startSha: refs.start_sha, headSha: refs.head_sha, oldPath: 'README', newPath: 'README', newLine: '2' } });
assert.equal(thread.notes[0].type, 'DiffNote');
await gitlab.MergeRequestDiscussions.addNote(project, one, thread.id, 'So.');
await reviewer.MergeRequestApprovals.approve(project, one, { sha: made.sha });
assert.equal((await gitlab.MergeRequestApprovals.showConfiguration(project, { mergerequestIId: one })).approved, true);
assert.equal((await gitlab.MergeRequestApprovals.showApprovalState(project, one)).rules[0].approved, true);
assert.equal(await look(), 'discussions_not_resolved');
await gitlab.MergeRequestDiscussions.resolve(project, one, thread.id, true);
assert.equal(await look(), 'ci_must_pass');

await gitlab.Commits.editStatus(project, made.sha, 'running', { name: 'build' });
assert.equal(await look(), 'ci_still_running');
await gitlab.Commits.editStatus(project, made.sha, 'success', { name: 'build', targetUrl: 'https://ci.invalid/1' });
assert.equal((await gitlab.Commits.allStatuses(project, made.sha))[0].status, 'success');
assert.equal((await gitlab.MergeRequests.allPipelines(project, one))[0].status, 'success');
assert.equal(await look(), 'mergeable');

for (let number = 0; number < 7; ++number) await gitlab.MergeRequestNotes.create(project, one, `${number}`);
const notes = await gitlab.MergeRequestNotes.all(project, one, { perPage: 3, sort: 'asc', activityFilter: 'only_comments' });
assert.deepEqual(notes.map((note) => note.body), ['Why?', 'So.', '0', '1', '2', '3', '4', '5', '6']);
assert.equal((await gitlab.MergeRequestDiscussions.all(project, one, { perPage: 2 })).filter((found) => found.notes[0].resolvable).length, 1);

const edited = await gitlab.MergeRequests.edit(project, one, { title: 'Draft: Topic' });
assert.equal(edited.draft, true);
await assert.rejects(gitlab.MergeRequests.merge(project, one), status(405));
await gitlab.MergeRequests.edit(project, one, { title: 'Topic' });
await assert.rejects(gitlab.MergeRequests.merge(project, one, { sha: '0'.repeat(40) }),
  (error) => status(409)(error) && error.message === `SHA does not match HEAD of source branch: ${made.sha}`);
const merged = await gitlab.MergeRequests.merge(project, one, { sha: made.sha, squash: true });
assert.equal(merged.state, 'merged');
await assert.rejects(gitlab.Branches.show(project, 'topic'), status(404));
assert.deepEqual((await gitlab.MergeRequests.all({ projectId: project, state: 'merged' })).map((found) => found.iid), [one]);
console.log('gitbeaker: a merge request from creation to merge');
