"""REST about the site, repositories, branches and references; paging and redirects."""

import re
import unittest

from fixture import ForgeTest


def links(answer):
    return {relation: url for url, relation in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("Link", ""))}


class Repositories(ForgeTest):
    def test_the_root_and_the_release(self):
        self.assertEqual(self.api("GET", "/").json["rate_limit_url"], f"https://{self.forge.address}/api/v3/rate_limit")
        answer = self.api("GET", "/meta")
        self.assertEqual(answer.json["installed_version"], answer.headers["X-GitHub-Enterprise-Version"])

    def test_the_user_behind_a_token(self):
        user = self.api("GET", "/user").json
        self.assertEqual((user["login"], user["type"]), ("ada", "User"))
        self.assertEqual(self.api("GET", "/users/bob").json["login"], "bob")
        self.refused(self.api("GET", "/users/nobody"), 404, "Not Found")

    def test_a_repository_tells_settings_to_those_who_push(self):
        self.forge.control("/repositories", owner="acme", name=self.name, allow_rebase_merge=False)
        made = self.repo("GET").json
        self.assertEqual((made["full_name"], made["default_branch"], made["allow_rebase_merge"]),
                         (self.full, "main", False))
        self.assertEqual(made["permissions"],
                         {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True})
        seen = self.repo("GET", token=self.new_token("eve")).json
        self.assertFalse(seen["permissions"]["push"])
        self.assertNotIn("allow_rebase_merge", seen)
        self.refused(self.repo("GET", token=self.new_token("stranger")), 404, "Not Found")

    def test_a_renamed_repository_redirects(self):
        old = self.full
        self.forge.control("/rename", repository=old, to=f"{self.name}-new")
        answer = self.api("GET", f"/repos/{old}/branches?per_page=1")
        self.assertEqual((answer.status, answer.json["message"]), (301, "Moved Permanently"))
        there = f"https://{self.forge.address}/api/v3/repositories/{self.made['id']}/branches?per_page=1"
        self.assertEqual(answer.headers["Location"], there)
        followed = self.request("GET", there.split(self.forge.address)[1])
        self.assertEqual((followed.status, followed.json[0]["name"]), (200, "main"))
        self.assertEqual(self.api("POST", f"/repos/{old}/pulls", {}).status, 307)

    def test_pages_are_linked_with_the_repository_by_its_number(self):
        for number in range(6):
            self.push("ada", f"b{number}", {"x": str(number)})
        first = self.repo("GET", "/branches?per_page=3")
        self.assertEqual(list(links(first)), ["next", "last"])
        base = f"https://{self.forge.address}/api/v3/repositories/{self.made['id']}/branches?per_page=3"
        self.assertEqual(links(first), {"next": f"{base}&page=2", "last": f"{base}&page=3"})
        second = self.request("GET", links(first)["next"].split(self.forge.address)[1])
        self.assertEqual(list(links(second)), ["prev", "next", "last", "first"])
        last = self.request("GET", links(second)["last"].split(self.forge.address)[1])
        self.assertEqual(list(links(last)), ["prev", "first"])
        names = [branch["name"] for page in (first, second, last) for branch in page.json]
        self.assertEqual(names, sorted(names))
        self.assertEqual(len(names), 7)
        self.assertNotIn("Link", self.repo("GET", "/branches").headers)

    def test_a_page_has_at_most_100_and_a_cap_makes_it_smaller(self):
        self.bare("update-ref", "--stdin", input="".join(
            f"create refs/heads/many/{number:03} {self.bare('rev-parse', 'main')}\n" for number in range(101)))
        self.assertEqual(len(self.repo("GET", "/branches?per_page=500").json), 100)
        self.assertEqual(len(self.repo("GET", "/branches").json), 30)
        self.forge.control("/pages", cap=2)
        self.addCleanup(self.forge.control, "/pages", cap=None)
        answer = self.repo("GET", "/branches?per_page=50")
        self.assertEqual(len(answer.json), 2)
        self.assertIn("page=51", links(answer)["last"])

    def test_branches_with_slashes_protection_and_old_names(self):
        oid = self.push("ada", "team/topic", {"x": "1"})
        made = self.repo("GET", "/branches/team/topic").json
        self.assertEqual((made["commit"]["sha"], made["protected"]), (oid, False))
        self.forge.control("/protection", repository=self.full, branch="main", required_checks=["build"])
        self.assertEqual(self.repo("GET", "/branches/main").json["protection"]["required_status_checks"]["contexts"],
                         ["build"])
        self.refused(self.repo("GET", "/branches/none"), 404, "Branch not found")
        self.act("root", "rename_branch", branch="main", to="trunk")
        answer = self.repo("GET", "/branches/main")
        self.assertEqual(answer.status, 301)
        self.assertTrue(answer.headers["Location"].endswith(f"/repositories/{self.made['id']}/branches/trunk"))
        self.assertEqual(self.repo("GET").json["default_branch"], "trunk")

    def test_references_are_read_and_deleted(self):
        oid = self.push("ada", "team/topic", {"x": "1"})
        made = self.repo("GET", "/git/ref/heads/team/topic").json
        self.assertEqual((made["ref"], made["object"]["sha"]), ("refs/heads/team/topic", oid))
        self.refused(self.repo("DELETE", "/git/refs/heads/team/topic", token=self.new_token("eve")), 404, "Not Found")
        answer = self.repo("DELETE", "/git/refs/heads/team/topic")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.refused(self.repo("GET", "/git/ref/heads/team/topic"), 404, "Not Found")
        self.refused(self.repo("DELETE", "/git/refs/heads/team/topic"), 422, "Reference does not exist")
        self.assertEqual(self.repo("DELETE", "/git/refs/heads/main").status, 422)

    def test_permissions_of_others(self):
        made = self.repo("GET", "/collaborators/eve/permission").json
        self.assertEqual((made["permission"], made["role_name"]), ("read", "read"))
        self.assertEqual(self.repo("GET", "/collaborators/stranger/permission").json["permission"], "none")
        self.assertEqual(self.repo("GET", "/collaborators/eve/permission", token=self.new_token("eve")).status, 403)

    def test_a_commit(self):
        oid = self.push("ada", "main", {"x": "1"}, message="One line")
        made = self.repo("GET", "/commits/main").json
        self.assertEqual((made["sha"], made["commit"]["message"], made["stats"]["additions"]), (oid, "One line", 1))
        self.assertEqual(self.repo("GET", "/commits/none").json["message"], "No commit found for SHA: none")


if __name__ == "__main__":
    unittest.main()
