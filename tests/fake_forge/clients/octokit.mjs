// GitHub's own JavaScript clients against the fake. FAKE has its address, TOKENS those of ada, bob; REPOSITORY o/r with
// a branch `topic` that is ready for a pull request. NODE_EXTRA_CA_CERTS lets node trust the fake.
import assert from 'assert';
import { createRequire } from 'module';
import { pathToFileURL } from 'url';
const require = createRequire(process.cwd() + '/');
const load = async (name) => import(pathToFileURL(`${process.cwd()}/node_modules/${name}/${
  require(`./node_modules/${name}/package.json`).exports?.['.']?.import
  ?? require(`./node_modules/${name}/package.json`).exports?.['.']?.default
  ?? require(`./node_modules/${name}/package.json`).exports?.import
  ?? require(`./node_modules/${name}/package.json`).main}`));
const { Octokit } = await load('@octokit/rest');
const { graphql } = await load('@octokit/graphql');

const [ada, bob] = process.env.TOKENS.split(' '), [owner, repo] = process.env.REPOSITORY.split('/');
const client = (auth) => new Octokit({ auth, baseUrl: `${process.env.FAKE}/api/v3`, log: { debug() {}, info() {}, warn: console.warn, error() {} } });
const octokit = client(ada);
const where = { owner, repo };

const { data: pull } = await octokit.pulls.create({ ...where, title: 'Topic', head: 'topic', base: 'main', body: 'Why' });
const one = { ...where, pull_number: pull.number };
await assert.rejects(octokit.pulls.create({ ...where, title: 'Topic', head: 'topic', base: 'main' }),
  (error) => error.status === 422 && /A pull request already exists for/.test(error.message));
assert.equal((await octokit.pulls.get(one)).data.mergeable, null);
const second = await octokit.pulls.get(one);
assert.equal(second.data.mergeable, true);
assert.equal(second.data.mergeable_state, 'clean');

// A conditional request: octokit throws at 304.
await assert.rejects(octokit.pulls.get({ ...one, headers: { 'if-none-match': second.headers.etag } }),
  (error) => error.status === 304);

await octokit.repos.createCommitStatus({ ...where, sha: pull.head.sha, state: 'success', context: 'build' });
assert.equal((await octokit.repos.getCombinedStatusForRef({ ...where, ref: 'topic' })).data.state, 'success');
await assert.rejects(octokit.checks.create({ ...where, name: 'x', head_sha: pull.head.sha }), { status: 403 });
assert.equal((await octokit.checks.listForRef({ ...where, ref: 'topic' })).data.total_count, 0);

const reviewer = client(bob);
const comment = await reviewer.pulls.createReviewComment({ ...one, body: 'Why?', path: 'README', line: 2, side: 'RIGHT', commit_id: pull.head.sha });
await octokit.pulls.createReplyForReviewComment({ ...one, comment_id: comment.data.id, body: 'So.' });
await reviewer.pulls.createReview({ ...one, event: 'APPROVE' });
await assert.rejects(octokit.pulls.createReview({ ...one, event: 'APPROVE' }), { status: 422 });
for (let number = 0; number < 7; ++number) await octokit.issues.createComment({ ...where, issue_number: pull.number, body: `${number}` });
const comments = await octokit.paginate(octokit.issues.listComments, { ...where, issue_number: pull.number, per_page: 3 });
assert.deepEqual(comments.map((found) => found.body), ['0', '1', '2', '3', '4', '5', '6']);

const query = graphql.defaults({ baseUrl: `${process.env.FAKE}/api`, headers: { authorization: `token ${ada}` } });
const read = await query(`query($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) { pullRequest(number: $number) { mergeable
    reviewThreads(first: 10) { nodes { id isResolved comments(first: 10) { totalCount } } } } } }`,
  { owner, repo, number: pull.number });
const [thread] = read.repository.pullRequest.reviewThreads.nodes;
assert.equal(thread.comments.totalCount, 2);
const resolved = await query('mutation($id: ID!) { resolveReviewThread(input: { threadId: $id }) { thread { isResolved } } }', { id: thread.id });
assert.equal(resolved.resolveReviewThread.thread.isResolved, true);
await assert.rejects(query('{ repository(owner: "no", name: "one") { id } }'),
  (error) => error.name === 'GraphqlResponseError' && error.errors[0].type === 'NOT_FOUND');

await assert.rejects(octokit.pulls.merge({ ...one, sha: '0'.repeat(40) }), { status: 409 });
const merged = await octokit.pulls.merge({ ...one, sha: pull.head.sha, merge_method: 'squash' });
assert.equal(merged.data.merged, true);
await octokit.git.deleteRef({ ...where, ref: 'heads/topic' });
assert.equal((await octokit.pulls.get(one)).data.merged, true);
const pulls = await octokit.paginate(octokit.pulls.list, { ...where, state: 'closed', head: `${owner}:topic` });
assert.deepEqual(pulls.map((found) => found.number), [pull.number]);
console.log('octokit: a pull request from creation to merge');
