// A Gitea client that others wrote against the fake. FAKE has its address, TOKENS those of ada, bob; REPOSITORY a name
// with a branch `topic` that is ready for a pull request. NODE_EXTRA_CA_CERTS lets node trust the fake.
import assert from 'assert';
import { pathToFileURL } from 'url';
const { giteaApi } = await import(pathToFileURL(`${process.cwd()}/node_modules/gitea-js/dist/index.mjs`));

const [ada, bob] = process.env.TOKENS.split(' '), host = process.env.FAKE, [owner, name] = process.env.REPOSITORY.split('/');
const gitea = giteaApi(host, { token: ada }), reviewer = giteaApi(host, { token: bob });
const refused = (status, message) => (answer) => answer.status === status && (!message || answer.error.message === message);
const look = async () => (await gitea.repos.repoGetPullRequest(owner, name, one)).data;

assert.equal((await gitea.user.userGetCurrent()).data.login, 'ada');
assert.match((await gitea.version.getVersion()).data.version, /^1\./);
assert.deepEqual((await gitea.repos.repoGet(owner, name)).data.permissions, { admin: false, push: true, pull: true });
await assert.rejects(gitea.repos.repoGet('no', 'such'), refused(404, 'not found'));
await assert.rejects(giteaApi(host, { token: 'wrong' }).user.userGetCurrent(), refused(401));

const wanted = { head: 'topic', base: 'main', title: 'Topic', body: 'Why' };
const made = (await gitea.repos.repoCreatePullRequest(owner, name, wanted)).data, one = made.number;
await assert.rejects(gitea.repos.repoCreatePullRequest(owner, name, wanted), refused(409));
assert.equal((await look()).mergeable, false);
assert.equal((await look()).mergeable, true);
const merge = { Do: 'squash', head_commit_id: made.head.sha, delete_branch_after_merge: true };
await assert.rejects(gitea.repos.repoMergePullRequest(owner, name, one, merge), refused(405, 'Not all required status checks successful'));

await gitea.repos.repoCreateStatus(owner, name, made.head.sha, { state: 'success', context: 'ci/build', target_url: 'https://ci.invalid/1' });
assert.equal((await gitea.repos.repoGetCombinedStatusByRef(owner, name, 'topic')).data.state, 'success');
await assert.rejects(gitea.repos.repoMergePullRequest(owner, name, one, merge), refused(405, 'Does not have enough approvals'));

const review = (await reviewer.repos.repoCreatePullReview(owner, name, one, { event: 'APPROVED', body: 'Fine',
  comments: [{ path: 'README', body: 'Why?', new_position: 2 }] })).data;
assert.equal(review.official, true);
assert.equal((await gitea.repos.repoGetPullReviewComments(owner, name, one, review.id)).data[0].position, 2);
await gitea.repos.issueCreateComment(owner, name, one, { body: 'So.' });
for (let number = 0; number < 4; ++number) await reviewer.repos.repoCreatePullReview(owner, name, one, { event: 'COMMENT', body: `${number}` });
const second = await gitea.repos.repoListPullReviews(owner, name, one, { page: 2, limit: 3 });
assert.deepEqual(second.data.map((found) => found.body), ['2', '3']);
assert.equal(second.headers.get('x-total-count'), '5');

assert.equal((await gitea.repos.repoEditPullRequest(owner, name, one, { title: 'WIP: Topic' })).data.draft, true);
await assert.rejects(gitea.repos.repoMergePullRequest(owner, name, one, merge), refused(405, 'Work in progress PRs cannot be merged'));
await gitea.repos.repoEditPullRequest(owner, name, one, { title: 'Topic' });
await assert.rejects(gitea.repos.repoMergePullRequest(owner, name, one, { ...merge, head_commit_id: '0'.repeat(40) }), refused(409, 'head out of date'));
await gitea.repos.repoMergePullRequest(owner, name, one, merge);
assert.equal((await look()).merged, true);
await assert.rejects(gitea.repos.repoGetBranch(owner, name, 'topic'), refused(404));
assert.deepEqual((await gitea.repos.repoListPullRequests(owner, name, { state: 'closed' })).data.map((found) => found.number), [one]);
console.log('gitea-js: a pull request from creation to merge');
